package jobserver

import (
	"bytes"
	"math"
)

// handleDigits is the width of a handle's number: fixed, because libgearman
// takes a handle that another one starts with for that other.
const handleDigits = 10

// nextNumber returns the number of a new job. Numbers start at 1 and are used
// again only after all 2^32 and only when free.
func (s *Server) nextNumber() uint32 {
	for {
		s.lastNumber++
		if s.lastNumber != 0 && s.numbered(s.lastNumber) == 0 {
			s.reserve()
			return s.lastNumber
		}
	}
}

// numbered returns the job with the given number, or 0.
func (s *Server) numbered(number uint32) uint32 {
	id := s.numbers.first(number)
	for id != 0 && s.jobs.at(id).chained[byNumber].key != number {
		id = s.numbers.next(id)
	}
	return id
}

// handle returns the handle of a job. It is valid until the next Step.
func (s *Server) handle(id uint32) []byte {
	return s.numberedHandle(s.jobs.at(id).chained[byNumber].key)
}

// numberedHandle is handle of a job that may be gone.
func (s *Server) numberedHandle(number uint32) []byte {
	from := len(s.scratch)
	s.scratch = s.appendHandle(s.scratch, number)
	return s.scratch[from:len(s.scratch):len(s.scratch)]
}

func (s *Server) appendHandle(dst []byte, number uint32) []byte {
	dst = append(dst, s.config.HandlePrefix...)
	dst = append(dst, ":0000000000"[:1+handleDigits]...)
	for i := len(dst) - 1; number > 0; i-- {
		dst[i] = byte('0' + number%10)
		number /= 10
	}
	return dst
}

// find returns the job a handle names, or 0. Zeros before the number do not
// count: gearmand's own handles have none.
func (s *Server) find(handle []byte) uint32 {
	prefix := len(s.config.HandlePrefix)
	if len(handle) <= prefix+1 || len(handle) >= handleLimit || handle[prefix] != ':' ||
		string(handle[:prefix]) != s.config.HandlePrefix {
		return 0
	}
	var number uint64
	for _, digit := range bytes.TrimLeft(handle[prefix+1:], "0") {
		if digit < '0' || digit > '9' {
			return 0
		}
		number = number*10 + uint64(digit-'0')
		if number > math.MaxUint32 {
			return 0
		}
	}
	return s.numbered(uint32(number))
}
