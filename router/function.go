package router

// A function is one that workers can do. Workers and groups share it: its name
// is kept once, and two lists of functions are compared without their names.
type function struct {
	name   []byte
	id     uint64 // no other function ever has it
	users  int    // abilities and groups that refer to it
	groups functionGroups
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
	}
	f.users++
	return f
}

// leave ends one use of f.
func (t *functionTable) leave(f *function) {
	if f.users--; f.users == 0 {
		delete(t.byName, string(f.name))
	}
}

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
