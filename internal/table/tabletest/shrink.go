package tabletest

import (
	"slices"

	"tidings/internal/table"
)

// shrinkRuns bounds how often a program is run to make it shorter.
const shrinkRuns = 1500

// Shrink looks for the shortest program that still differs: it leaves out steps, halves before single ones,
// and then parts of the steps that remain. It returns that program, which ends where the tables differ.
func Shrink(program []Step, d *Difference, differs func([]Step) *Difference) ([]Step, *Difference) {
	s := &shrinker{program, d, differs, shrinkRuns}
	for before := -1; before != s.runs && s.runs > 0; {
		before = s.runs
		progress := s.dropSteps()
		progress = s.simplifySteps() || progress
		if !progress {
			break
		}
	}
	return s.program, s.found
}

type shrinker struct {
	program []Step
	found   *Difference
	differs func([]Step) *Difference
	runs    int
}

// try takes a program over if the tables still differ on it.
func (s *shrinker) try(p []Step) bool {
	if s.runs == 0 {
		return false
	}
	s.runs--
	d := s.differs(p)
	if d == nil {
		return false
	}
	s.program, s.found = p[:d.Step+1], d
	return true
}

func (s *shrinker) dropSteps() (progress bool) {
	for n := max(len(s.program)/2, 1); ; n /= 2 {
		// From the end, where what matters is more likely.
		for start := len(s.program) - n; ; start -= n {
			start = min(max(start, 0), len(s.program)-n)
			if start < 0 {
				break
			}
			if s.try(slices.Delete(slices.Clone(s.program), start, start+n)) {
				progress = true
			}
			if start == 0 {
				break
			}
		}
		if n <= 1 {
			return progress
		}
	}
}

func (s *shrinker) simplifySteps() (progress bool) {
	for i := 0; i < len(s.program); i++ {
		for again := true; again && i < len(s.program); {
			again = false
			for _, simpler := range simplerSteps(s.program[i]) {
				p := slices.Clone(s.program)
				p[i] = simpler
				if again = s.try(p); again {
					progress = true
					break
				}
			}
		}
	}
	return progress
}

// simplerSteps returns what a step could be with one part less.
func simplerSteps(s Step) []Step {
	var all []Step
	if s.Do != DoGet {
		for i := range s.Keys {
			c := s
			c.Keys = without(s.Keys, i)
			all = append(all, c)
		}
	}
	for i := range s.Items {
		c := s
		c.Items = without(s.Items, i)
		all = append(all, c)
		for _, it := range simplerItems(s.Items[i]) {
			c.Items = with(s.Items, i, it)
			all = append(all, c)
		}
	}
	for i, op := range s.Ops {
		c := s
		if len(s.Ops) > 1 {
			c.Ops = without(s.Ops, i)
			all = append(all, c)
		}
		for _, op := range simplerOps(op) {
			c.Ops = with(s.Ops, i, op)
			all = append(all, c)
		}
	}
	if q := s.Query; s.Do == DoQuery || s.Do == DoWalk {
		for _, q := range []table.Query{
			{Index: q.Index, Partition: q.Partition, Limit: q.Limit},
			{Index: q.Index, Partition: q.Partition, Limit: q.Limit, Descending: q.Descending},
		} {
			if q != s.Query {
				c := s
				c.Query = q
				all = append(all, c)
			}
		}
	}
	return all
}

func simplerOps(op table.Op) []table.Op {
	var all []table.Op
	c := op
	if op.If != nil {
		conds := simplerConds(op.If)
		if op.Kind != table.OpCheck {
			conds = append([]table.Cond{nil}, conds...)
		}
		for _, c.If = range conds {
			all = append(all, c)
		}
	}
	c = op
	for i := 0; len(op.Actions) > 1 && i < len(op.Actions); i++ {
		c.Actions = without(op.Actions, i)
		all = append(all, c)
	}
	for _, c.Item = range simplerItems(op.Item) {
		all = append(all, c)
	}
	return all
}

// simplerConds returns the parts of a condition, and the condition with a part less.
func simplerConds(c table.Cond) []table.Cond {
	b, ok := c.(table.BoolCond)
	if !ok {
		return nil
	}
	all := slices.Clone(b.Conds)
	for i, sub := range b.Conds {
		if len(b.Conds) > 1 {
			all = append(all, table.BoolCond{Op: b.Op, Conds: without(b.Conds, i)})
		}
		for _, s := range simplerConds(sub) {
			all = append(all, table.BoolCond{Op: b.Op, Conds: with(b.Conds, i, s)})
		}
	}
	return all
}

func simplerItems(it table.Item) []table.Item {
	var all []table.Item
	for _, name := range names {
		if _, ok := it[name]; ok {
			c := table.Clone(it)
			delete(c, name)
			all = append(all, c)
		}
	}
	return all
}

func without[T any](s []T, i int) []T { return slices.Delete(slices.Clone(s), i, i+1) }

func with[T any](s []T, i int, v T) []T {
	c := slices.Clone(s)
	c[i] = v
	return c
}
