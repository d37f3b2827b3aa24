package jobserver

// A list is a sequence of records of a slab, each linked to its neighbours, so
// that any of them leaves in constant time. It is empty when head is 0.
type list struct{ head, tail uint32 }

// links are a record's place in a list.
type links struct{ next, prev uint32 }

// A linker finds the links of a record: one for each kind of list a record can
// be in. A record is in at most one list of a kind.
type linker func(id uint32) *links

func (at linker) pushBack(l *list, id uint32) {
	*at(id) = links{prev: l.tail}
	if l.tail != 0 {
		at(l.tail).next = id
	} else {
		l.head = id
	}
	l.tail = id
}

func (at linker) pushFront(l *list, id uint32) {
	*at(id) = links{next: l.head}
	if l.head != 0 {
		at(l.head).prev = id
	} else {
		l.tail = id
	}
	l.head = id
}

// remove takes id out of l, which must hold it.
func (at linker) remove(l *list, id uint32) {
	gone := at(id)
	if gone.prev != 0 {
		at(gone.prev).next = gone.next
	} else {
		l.head = gone.next
	}
	if gone.next != 0 {
		at(gone.next).prev = gone.prev
	} else {
		l.tail = gone.prev
	}
	*gone = links{}
}
