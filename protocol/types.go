package protocol

import "strconv"

// Type is the number of a packet type on the wire.
type Type uint32

// The packet types. SUBMIT_JOB_SCHED and ALL_YOURS exist in the protocol's
// text only: gearmand parses them and refuses them.
const (
	CanDo               Type = 1
	CantDo              Type = 2
	ResetAbilities      Type = 3
	PreSleep            Type = 4
	Unused              Type = 5
	Noop                Type = 6
	SubmitJob           Type = 7
	JobCreated          Type = 8
	GrabJob             Type = 9
	NoJob               Type = 10
	JobAssign           Type = 11
	WorkStatus          Type = 12
	WorkComplete        Type = 13
	WorkFail            Type = 14
	GetStatus           Type = 15
	EchoReq             Type = 16
	EchoRes             Type = 17
	SubmitJobBg         Type = 18
	Error               Type = 19
	StatusRes           Type = 20
	SubmitJobHigh       Type = 21
	SetClientID         Type = 22
	CanDoTimeout        Type = 23
	AllYours            Type = 24
	WorkException       Type = 25
	OptionReq           Type = 26
	OptionRes           Type = 27
	WorkData            Type = 28
	WorkWarning         Type = 29
	GrabJobUniq         Type = 30
	JobAssignUniq       Type = 31
	SubmitJobHighBg     Type = 32
	SubmitJobLow        Type = 33
	SubmitJobLowBg      Type = 34
	SubmitJobSched      Type = 35
	SubmitJobEpoch      Type = 36
	SubmitReduceJob     Type = 37
	SubmitReduceJobBg   Type = 38
	GrabJobAll          Type = 39
	JobAssignAll        Type = 40
	GetStatusUnique     Type = 41
	StatusResUnique     Type = 42
	firstType, lastType      = CanDo, StatusResUnique

	// Types is one more than the highest packet type.
	Types = lastType + 1
)

// Sender says which side of a job server sends a packet type.
type Sender uint8

const (
	FromClient Sender = 1 << iota
	FromWorker
	FromServer
)

// Info describes one packet type.
type Info struct {
	Name   string
	Sender Sender
	// Args names the arguments in order. Every argument but the last ends in
	// a NUL; the last one is delimited by the body's length.
	Args []string
	// Min is the number of arguments that must be there. It is below
	// len(Args) only where known workers leave the rest out.
	Min int
	// Opaque says that the last argument is data, which may hold any bytes
	// and is bounded by the frame limit alone.
	Opaque bool
	// TrimNUL says that one NUL at the end of the last argument is dropped:
	// some libraries send it as a C string.
	TrimNUL bool
}

const both = FromClient | FromWorker

// types is the one table of the protocol: argument counts are gearmand's
// (libgearman/command.cc), which differ from the published text in 37 and 38,
// where a fourth string stands before the workload.
var types = [Types]Info{
	CanDo:             {Name: "CAN_DO", Sender: FromWorker, Args: []string{"function"}, TrimNUL: true},
	CantDo:            {Name: "CANT_DO", Sender: FromWorker, Args: []string{"function"}, TrimNUL: true},
	ResetAbilities:    {Name: "RESET_ABILITIES", Sender: FromWorker},
	PreSleep:          {Name: "PRE_SLEEP", Sender: FromWorker},
	Unused:            {Name: "UNUSED"},
	Noop:              {Name: "NOOP", Sender: FromServer},
	SubmitJob:         {Name: "SUBMIT_JOB", Sender: FromClient, Args: submitArgs, Opaque: true},
	JobCreated:        {Name: "JOB_CREATED", Sender: FromServer, Args: []string{"handle"}, TrimNUL: true},
	GrabJob:           {Name: "GRAB_JOB", Sender: FromWorker},
	NoJob:             {Name: "NO_JOB", Sender: FromServer},
	JobAssign:         {Name: "JOB_ASSIGN", Sender: FromServer, Args: []string{"handle", "function", "workload"}, Opaque: true},
	WorkStatus:        {Name: "WORK_STATUS", Sender: FromWorker | FromServer, Args: []string{"handle", "numerator", "denominator"}, Min: 2},
	WorkComplete:      {Name: "WORK_COMPLETE", Sender: FromWorker | FromServer, Args: []string{"handle", "data"}, Min: 1, Opaque: true},
	WorkFail:          {Name: "WORK_FAIL", Sender: FromWorker | FromServer, Args: []string{"handle"}, TrimNUL: true},
	GetStatus:         {Name: "GET_STATUS", Sender: FromClient, Args: []string{"handle"}, TrimNUL: true},
	EchoReq:           {Name: "ECHO_REQ", Sender: both, Args: []string{"data"}, Opaque: true},
	EchoRes:           {Name: "ECHO_RES", Sender: FromServer, Args: []string{"data"}, Opaque: true},
	SubmitJobBg:       {Name: "SUBMIT_JOB_BG", Sender: FromClient, Args: submitArgs, Opaque: true},
	Error:             {Name: "ERROR", Sender: FromServer, Args: []string{"code", "text"}},
	StatusRes:         {Name: "STATUS_RES", Sender: FromServer, Args: []string{"handle", "known", "running", "numerator", "denominator"}},
	SubmitJobHigh:     {Name: "SUBMIT_JOB_HIGH", Sender: FromClient, Args: submitArgs, Opaque: true},
	SetClientID:       {Name: "SET_CLIENT_ID", Sender: both, Args: []string{"id"}},
	CanDoTimeout:      {Name: "CAN_DO_TIMEOUT", Sender: FromWorker, Args: []string{"function", "timeout"}},
	AllYours:          {Name: "ALL_YOURS", Sender: FromWorker},
	WorkException:     {Name: "WORK_EXCEPTION", Sender: FromWorker | FromServer, Args: []string{"handle", "data"}, Min: 1, Opaque: true},
	OptionReq:         {Name: "OPTION_REQ", Sender: both, Args: []string{"option"}},
	OptionRes:         {Name: "OPTION_RES", Sender: FromServer, Args: []string{"option"}},
	WorkData:          {Name: "WORK_DATA", Sender: FromWorker | FromServer, Args: []string{"handle", "data"}, Min: 1, Opaque: true},
	WorkWarning:       {Name: "WORK_WARNING", Sender: FromWorker | FromServer, Args: []string{"handle", "data"}, Min: 1, Opaque: true},
	GrabJobUniq:       {Name: "GRAB_JOB_UNIQ", Sender: FromWorker},
	JobAssignUniq:     {Name: "JOB_ASSIGN_UNIQ", Sender: FromServer, Args: []string{"handle", "function", "unique", "workload"}, Opaque: true},
	SubmitJobHighBg:   {Name: "SUBMIT_JOB_HIGH_BG", Sender: FromClient, Args: submitArgs, Opaque: true},
	SubmitJobLow:      {Name: "SUBMIT_JOB_LOW", Sender: FromClient, Args: submitArgs, Opaque: true},
	SubmitJobLowBg:    {Name: "SUBMIT_JOB_LOW_BG", Sender: FromClient, Args: submitArgs, Opaque: true},
	SubmitJobSched:    {Name: "SUBMIT_JOB_SCHED", Sender: FromClient, Args: []string{"function", "unique", "minute", "hour", "day of month", "month", "day of week", "workload"}, Opaque: true},
	SubmitJobEpoch:    {Name: "SUBMIT_JOB_EPOCH", Sender: FromClient, Args: []string{"function", "unique", "epoch", "workload"}, Opaque: true},
	SubmitReduceJob:   {Name: "SUBMIT_REDUCE_JOB", Sender: FromClient, Args: reduceArgs, Opaque: true},
	SubmitReduceJobBg: {Name: "SUBMIT_REDUCE_JOB_BACKGROUND", Sender: FromClient, Args: reduceArgs, Opaque: true},
	GrabJobAll:        {Name: "GRAB_JOB_ALL", Sender: FromWorker},
	JobAssignAll:      {Name: "JOB_ASSIGN_ALL", Sender: FromServer, Args: []string{"handle", "function", "unique", "reducer", "workload"}, Opaque: true},
	GetStatusUnique:   {Name: "GET_STATUS_UNIQUE", Sender: FromClient, Args: []string{"unique"}, TrimNUL: true},
	StatusResUnique:   {Name: "STATUS_RES_UNIQUE", Sender: FromServer, Args: []string{"unique", "known", "running", "numerator", "denominator", "clients"}},
}

var (
	submitArgs = []string{"function", "unique", "workload"}
	reduceArgs = []string{"function", "unique", "reducer", "aggregator", "workload"}
)

func init() {
	for t := range types {
		if types[t].Min == 0 {
			types[t].Min = len(types[t].Args)
		}
	}
}

// Known reports whether t is a packet type of the protocol, the unused 5
// included.
func (t Type) Known() bool { return t >= firstType && t <= lastType }

// Info returns the table's row for t, which must be Known.
func (t Type) Info() *Info { return &types[t] }

// String returns the protocol's name of t.
func (t Type) String() string {
	if !t.Known() {
		return "type " + strconv.FormatUint(uint64(t), 10)
	}
	return types[t].Name
}

// Priority is the order in which a function's queued jobs are handed out.
type Priority uint8

// The priorities, numbered as gearmand's stores number them.
const (
	High Priority = iota
	Normal
	Low
	Priorities = 3
)

// Submission says what kind of submission t is; ok is false where t is none.
// SUBMIT_JOB_EPOCH and the reduce submissions are of normal priority, as in
// gearmand.
func (t Type) Submission() (p Priority, background, ok bool) {
	switch t {
	case SubmitJob, SubmitReduceJob:
		return Normal, false, true
	case SubmitJobBg, SubmitJobEpoch, SubmitReduceJobBg:
		return Normal, true, true
	case SubmitJobHigh:
		return High, false, true
	case SubmitJobHighBg:
		return High, true, true
	case SubmitJobLow:
		return Low, false, true
	case SubmitJobLowBg:
		return Low, true, true
	}
	return 0, false, false
}
