// Package store keeps background jobs where a crash does not reach them.
//
// A Store takes batches: jobs to keep, jobs to forget, counts of attempts. What
// a batch says counts when Commit has returned, all of it, and after a crash
// Replay tells what is kept. There are two: Disk, and Memory, which lasts as
// long as the process. Package storetest is what both must pass.
//
// # The log
//
// A Disk is a directory with one log in files of 64 MiB, its segments, which are
// shorter on a small file system (room.go):
//
//	LOCK               taken by the process that has the store open
//	0000000007.log     the oldest segment
//	0000000008.log
//	0000000009.log     the newest: commits are appended to it
//	reserve            room that is held back, see Failure
//	damaged/           what could not be read, see below
//
// A commit writes its records behind the last one and waits for fdatasync; the
// file was given its full length before, so that nothing but data has to reach
// the disk. record.go draws a record. An index in memory says where the record
// of each job lies (eight bytes a job): that is how a workload is read, and how
// a segment is known to be of no use.
//
//	job 1, job 2, forget 1, job 3, attempts 2, ...
//	  |      |                 |
//	  |      +-----------------+---- index: 2 and 3
//	  +----------------------------- nothing points here any more
//
// Each segment begins with a record of the store's name and of the number given
// out last, so that older ones can go. Segments go in their order, the oldest
// first: what a record says is about older ones, so that it is never missed.
// A segment without a live job is deleted; where more than half of the log is of
// no use, and two segments at least, what is alive in the oldest is copied to
// the end first, a piece at a time.
//
// # Damage
//
// Every record has two sums, one of its header and one of its body, into which
// its place goes too. Open reads all records. Where one is not as it was
// written, reading goes on behind it, or at the next header that is well, and
// the bytes between are copied to a file in damaged/, named by segment and
// offset, and zeroed, which counts as never written. So a flipped bit costs one
// record. A lost record of a job is a lost job; one that says that a job is done
// makes it run again. An append that a crash cut off is such damage at the end:
// nobody was told that it succeeded.
//
// # Failure
//
// After a commit that failed, nobody knows what the disk has of it. The segment
// is cut behind the last commit that did not fail, and the next commit begins a
// new one: when there is room again, it succeeds.
//
// Where the disk is full, jobs are refused before anything is written. Two
// segments are held back for what makes room: the ends of jobs, and compaction,
// which is content with less waste then and with the segment that is written to.
// They are held back again before the next job is taken.
package store
