package load

import (
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"sync"
)

// A workload begins with four bytes of checksum over the rest and six bytes
// of identity: twenty bits of client, twenty-eight of sequence number. The
// rest is a stretch of one block of random bytes, NULs included.
const (
	checksumSize = 4
	// MinWorkload is the least size of a workload, in bytes.
	MinWorkload = checksumSize + 6
	maxWorkload = 1 << 30

	sequenceBits = 28
	sequenceMask = 1<<sequenceBits - 1
	maxClients   = 1<<20 - 1
	// sharedClient stands where the client would, in workloads of jobs that
	// several clients may submit: the sequence is then the unique's number.
	sharedClient = maxClients
)

// An Identity says which submission a workload belongs to.
type Identity struct {
	Client   uint32 // below 1<<20 - 1
	Sequence uint32 // below 1<<28
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// filler returns what workloads are filled with. Its length is prime so that
// the stretches of different sequence numbers differ. It is made when it is
// first asked for: the front door is the same program, and has no use for it.
var filler = sync.OnceValue(func() []byte {
	block := make([]byte, 1_048_573)
	random := rand.NewChaCha8([32]byte{})
	random.Read(block)
	return block
})

// AppendWorkload appends a workload of size bytes, at least MinWorkload. The
// salt makes the workloads of one run wrong in any other.
func AppendWorkload(dst []byte, who Identity, size int, salt uint32) []byte {
	start := len(dst)
	word := uint64(who.Client)<<sequenceBits | uint64(who.Sequence)
	dst = append(dst, 0, 0, 0, 0)
	dst = append(dst, byte(word>>40), byte(word>>32), byte(word>>24), byte(word>>16), byte(word>>8), byte(word))
	left := size - MinWorkload
	block := filler()
	from := int(who.Sequence) * 61 % len(block)
	for left > 0 {
		n := min(left, len(block)-from)
		dst = append(dst, block[from:from+n]...)
		left -= n
		from = 0
	}
	binary.BigEndian.PutUint32(dst[start:], checksum(dst[start:], salt))
	return dst
}

func checksum(workload []byte, salt uint32) uint32 {
	return crc32.Update(salt, castagnoli, workload[checksumSize:])
}

// AppendResult appends what a worker answers to a workload: the same bytes
// with the checksum inverted, so that an echo is not taken for a result.
func AppendResult(dst, workload []byte) []byte {
	start := len(dst)
	dst = append(dst, workload...)
	sum := binary.BigEndian.Uint32(workload)
	binary.BigEndian.PutUint32(dst[start:], ^sum)
	return dst
}

// ReadWorkload returns the identity in a workload; ok is false where it is
// none of this run or was changed on its way.
func ReadWorkload(data []byte, salt uint32) (who Identity, ok bool) {
	if len(data) < MinWorkload || binary.BigEndian.Uint32(data) != checksum(data, salt) {
		return who, false
	}
	return readIdentity(data), true
}

// ReadResult is ReadWorkload for what a worker answered.
func ReadResult(data []byte, salt uint32) (who Identity, ok bool) {
	if len(data) < MinWorkload || ^binary.BigEndian.Uint32(data) != checksum(data, salt) {
		return who, false
	}
	return readIdentity(data), true
}

func readIdentity(data []byte) Identity {
	word := uint64(binary.BigEndian.Uint16(data[checksumSize:]))<<32 | uint64(binary.BigEndian.Uint32(data[checksumSize+2:]))
	return Identity{Client: uint32(word >> sequenceBits), Sequence: uint32(word & sequenceMask)}
}
