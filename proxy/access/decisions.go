package access

import "github.com/geargate/geargate/protocol"

// A Right is what a peer must be allowed for some of what it sends.
type Right uint8

const (
	// None is no right: nothing lacks.
	None Right = iota
	Submit
	Work
	AdminRead
	AdminWrite

	// Rights is how many there are, None included.
	Rights = iota
)

// String returns r as it is in the log and in metrics.
func (r Right) String() string {
	return [Rights]string{"none", "submit", "work", "admin_read", "admin_write"}[r]
}

// A set is a set of rights. Everybody has None.
type set uint8

func of(rights ...Right) (s set) {
	for _, r := range rights {
		s |= 1 << r
	}
	return s
}

// A decision is what a packet type asks for.
type decision struct {
	needs     set   // any of these will do; nothing is what nobody has
	functions []int // arguments that name a function, which the right must be for
}

var (
	anybody = decision{needs: of(None)}
	work    = decision{needs: of(Work)}
	workOn  = decision{needs: of(Work), functions: []int{0}}
	submit  = decision{needs: of(Submit), functions: []int{0}}
	reduce  = decision{needs: of(Submit), functions: []int{0, 2}}
	status  = decision{needs: of(Submit, AdminRead)}
)

// packets is the decision of each packet type. Those that only job servers send
// are for anybody, as is what no job server takes: they get the same ERROR
// whatever the rules say. A client's library may begin with SET_CLIENT_ID,
// OPTION_REQ and ECHO_REQ.
var packets = [protocol.Types]decision{
	protocol.CanDo:             workOn,
	protocol.CantDo:            work,
	protocol.ResetAbilities:    work,
	protocol.PreSleep:          work,
	protocol.Unused:            anybody,
	protocol.Noop:              anybody,
	protocol.SubmitJob:         submit,
	protocol.JobCreated:        anybody,
	protocol.GrabJob:           work,
	protocol.NoJob:             anybody,
	protocol.JobAssign:         anybody,
	protocol.WorkStatus:        work,
	protocol.WorkComplete:      work,
	protocol.WorkFail:          work,
	protocol.GetStatus:         status,
	protocol.EchoReq:           anybody,
	protocol.EchoRes:           anybody,
	protocol.SubmitJobBg:       submit,
	protocol.Error:             anybody,
	protocol.StatusRes:         anybody,
	protocol.SubmitJobHigh:     submit,
	protocol.SetClientID:       anybody,
	protocol.CanDoTimeout:      workOn,
	protocol.AllYours:          work,
	protocol.WorkException:     work,
	protocol.OptionReq:         anybody,
	protocol.OptionRes:         anybody,
	protocol.WorkData:          work,
	protocol.WorkWarning:       work,
	protocol.GrabJobUniq:       work,
	protocol.JobAssignUniq:     anybody,
	protocol.SubmitJobHighBg:   submit,
	protocol.SubmitJobLow:      submit,
	protocol.SubmitJobLowBg:    submit,
	protocol.SubmitJobSched:    submit,
	protocol.SubmitJobEpoch:    submit,
	protocol.SubmitReduceJob:   reduce,
	protocol.SubmitReduceJobBg: reduce,
	protocol.GrabJobAll:        work,
	protocol.JobAssignAll:      anybody,
	protocol.GetStatusUnique:   status,
	protocol.StatusResUnique:   anybody,
}

// verbs is the right that each admin verb asks for. A line that is no command
// is answered as everywhere.
var verbs = [protocol.Verbs]set{
	protocol.VerbNone:           of(None),
	protocol.VerbStatus:         of(AdminRead),
	protocol.VerbPriorityStatus: of(AdminRead),
	protocol.VerbWorkers:        of(AdminRead),
	protocol.VerbShowJobs:       of(AdminRead),
	protocol.VerbShowUniqueJobs: of(AdminRead),
	protocol.VerbMaxQueue:       of(AdminWrite),
	protocol.VerbCancelJob:      of(AdminWrite),
	protocol.VerbCreateFunction: of(AdminWrite),
	protocol.VerbDropFunction:   of(AdminWrite),
	protocol.VerbVersion:        of(AdminRead),
	protocol.VerbGetPID:         of(AdminRead),
	protocol.VerbVerbose:        of(AdminRead),
}
