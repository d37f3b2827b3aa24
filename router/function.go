package router

import "bytes"

// A function is one that workers can do. Workers and groups share it: its name
// is kept once, and two lists of functions are compared without their names.
type function struct {
	name    []byte
	id      uint64 // no other function ever has it
	users   int    // abilities and groups that refer to it
	workers int    // that can do it
	place   int    // in functionTable.places
	groups  functionGroups
}

// A groupFunction is a function's place in a group.
type groupFunction struct {
	group    *group
	function *function
	inGroups hook[groupFunction] // function.groups
}

// functionTable has every function that a worker can do.
type functionTable struct {
	byName map[string]*function
	alike  map[string]int // how many have names that differ in case only, by what these have in common
	places []*function    // all of them, each in its place; nil where one is free
	free   []int          // these places
	lastID uint64
}

// use returns the function of a name for one more user.
func (t *functionTable) use(name []byte) *function {
	f := t.byName[string(name)]
	if f == nil {
		t.lastID++
		kept := string(name)
		f = &function{name: []byte(kept), id: t.lastID}
		t.byName[kept] = f
		t.alike[folded(name)]++
		t.settle(f)
	}
	f.users++
	return f
}

// leave ends one use of f.
func (t *functionTable) leave(f *function) {
	if f.users--; f.users == 0 {
		delete(t.byName, string(f.name))
		key := folded(f.name)
		if t.alike[key]--; t.alike[key] == 0 {
			delete(t.alike, key)
		}
		t.unsettle(f)
	}
}

// settle gives f a place, and unsettle frees it. It stays at its place, so that
// who walks over the places meets it once.
func (t *functionTable) settle(f *function) {
	if last := len(t.free) - 1; last >= 0 {
		f.place = t.free[last]
		t.free = t.free[:last]
		t.places[f.place] = f
		return
	}
	f.place = len(t.places)
	t.places = append(t.places, f)
}

func (t *functionTable) unsettle(f *function) {
	t.places[f.place] = nil
	t.free = append(t.free, f.place)
	if len(t.byName) == 0 {
		t.places, t.free = nil, nil
	}
}

// hasWorker reports whether workers can do a function, or one whose name differs
// in case only, be it registered with the backends yet or still.
func (t *functionTable) hasWorker(name []byte) bool { return t.alike[folded(name)] > 0 }

// folded returns what names have in common that differ in case only.
func folded(name []byte) string { return string(bytes.ToLower(name)) }

// groupsOf returns the groups that can do a function, in the order they came.
func (t *functionTable) groupsOf(name []byte) functionGroups {
	if f := t.byName[string(name)]; f != nil {
		return f.groups
	}
	return functionGroups{}
}

// enlist makes g one of the groups that can do its functions.
func (g *group) enlist() {
	for i := range g.functions {
		m := &g.functions[i]
		if others := &m.function.groups; others.count == 1 {
			others.first.group.shared++
		}
		if m.function.groups.pushBack(m); m.function.groups.count > 1 {
			g.shared++
		}
	}
}

// delist is the end of enlist, and of g's use of its functions.
func (g *group) delist(t *functionTable) {
	for i := range g.functions {
		f := g.functions[i].function
		f.groups.remove(&g.functions[i])
		if f.groups.count == 1 {
			f.groups.first.group.shared--
		}
		t.leave(f)
	}
	g.functions = nil
}
