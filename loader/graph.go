// SPDX-License-Identifier: Apache-2.0

package loader

import (
	"cmp"
	"slices"
)

// graph is the checked and levelled form of a component list. It holds no state
// of a run.
type graph struct {
	nodes  []node  // sorted by level, then by name
	levels [][]int // indexes into nodes
}

type node struct {
	Component
	level int
	deps  []int // indexes into graph.nodes, all of lower levels
}

// newGraph checks the components and arranges them. All problems are collected:
// names first, then missing dependencies, then cycles among the rest.
func newGraph(components []Component) (*graph, error) {
	nodes, problems := named(components)
	problems = append(problems, connect(nodes)...)
	g, complete := level(nodes)
	if !complete {
		for _, path := range cycles(nodes) {
			problems = append(problems, Problem{Kind: Cycle, Component: path[0], Path: path})
		}
	}
	if len(problems) > 0 {
		return nil, &GraphError{Problems: problems}
	}
	return g, nil
}

// named returns a node for every name, sorted by name, and what is wrong with names.
func named(components []Component) ([]node, []Problem) {
	// Indexes are sorted, not components, which are large to move.
	order := make([]int, len(components))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(components[a].Name, components[b].Name), a-b)
	})
	var problems []Problem
	nodes := make([]node, 0, len(components))
	for _, i := range order {
		c := components[i]
		switch n := len(nodes); {
		case c.Name == "":
			problems = append(problems, Problem{Kind: Unnamed})
		case n > 0 && nodes[n-1].Name == c.Name:
			// Three components of one name are one problem.
			if k := len(problems); k == 0 || problems[k-1].Component != c.Name {
				problems = append(problems, Problem{Kind: Duplicate, Component: c.Name})
			}
		default:
			nodes = append(nodes, node{Component: c})
		}
	}
	return nodes, problems
}

// connect fills in deps, each dependency once, as indexes into nodes, and returns
// the missing ones.
func connect(nodes []node) []Problem {
	byName := make(map[string]int, len(nodes))
	total := 0
	for i := range nodes {
		byName[nodes[i].Name] = i
		total += len(nodes[i].DependsOn)
	}
	var problems []Problem
	all := make([]int, 0, total) // one array for the deps of all nodes
	for i := range nodes {
		n := &nodes[i]
		var missing []string
		begin := len(all)
		for _, name := range n.DependsOn {
			d, ok := byName[name]
			switch {
			case !ok:
				missing = append(missing, name)
			case !slices.Contains(all[begin:], d):
				all = append(all, d)
			}
		}
		n.deps = all[begin:len(all):len(all)]
		slices.Sort(missing)
		for _, name := range slices.Compact(missing) {
			problems = append(problems, Problem{Kind: Missing, Component: n.Name, Dependency: name})
		}
	}
	return problems
}

// level assigns levels by Kahn's algorithm, one round per level. It reports whether
// every node found its place; if not, the rest depend on a cycle. The nodes stay as
// they are; the graph has copies with deps of its own.
func level(nodes []node) (g *graph, complete bool) {
	waiting := make([]int, len(nodes))
	users := reverse(nodes)
	var ready []int
	for i := range nodes {
		if waiting[i] = len(nodes[i].deps); waiting[i] == 0 {
			ready = append(ready, i)
		}
	}
	g = &graph{nodes: make([]node, 0, len(nodes))}
	position := make([]int, len(nodes))     // index into nodes -> index into g.nodes
	all := make([]int, 0, countDeps(nodes)) // one array for the deps of all copies
	for len(ready) > 0 {
		slices.Sort(ready) // nodes are sorted by name, so this sorts by name
		row := make([]int, 0, len(ready))
		var next []int
		for _, i := range ready {
			position[i] = len(g.nodes)
			row = append(row, len(g.nodes))
			n := nodes[i]
			n.level = len(g.levels)
			begin := len(all)
			for _, d := range n.deps {
				all = append(all, position[d])
			}
			n.deps = all[begin:len(all):len(all)]
			g.nodes = append(g.nodes, n)
			for _, u := range users[i] {
				if waiting[u]--; waiting[u] == 0 {
					next = append(next, u)
				}
			}
		}
		g.levels = append(g.levels, row)
		ready = next
	}
	return g, len(g.nodes) == len(nodes)
}

// reverse returns, for each node, the nodes that depend on it.
func reverse(nodes []node) [][]int {
	count := make([]int, len(nodes))
	for i := range nodes {
		for _, d := range nodes[i].deps {
			count[d]++
		}
	}
	users := make([][]int, len(nodes))
	all := make([]int, countDeps(nodes)) // one array for the users of all nodes
	for i, n := range count {
		users[i], all = all[:0:n], all[n:]
	}
	for i := range nodes {
		for _, d := range nodes[i].deps {
			users[d] = append(users[d], i)
		}
	}
	return users
}

// countDeps returns the number of edges.
func countDeps(nodes []node) int {
	total := 0
	for i := range nodes {
		total += len(nodes[i].deps)
	}
	return total
}

// plan returns the names of every level.
func (g *graph) plan() [][]string {
	plan := make([][]string, len(g.levels))
	for i, row := range g.levels {
		for _, n := range row {
			plan[i] = append(plan[i], g.nodes[n].Name)
		}
	}
	return plan
}

// cycles returns cycles such that every component that is part of one is in at least
// one of them. A path begins and ends with its smallest name; the paths are sorted.
//
// All cycles would be too many, exponentially; one per strongly connected group too
// few, for breaking it may leave the others of the group in cycles not yet told.
func cycles(nodes []node) [][]string {
	var paths [][]string
	told := make([]bool, len(nodes))
	groups := stronglyConnected(nodes)
	s := newSearch(nodes, groups)
	for _, group := range groups {
		slices.Sort(group) // by name, as the nodes are
		for _, i := range group {
			if told[i] {
				continue
			}
			var path []string
			for _, j := range s.shortestCycle(i) {
				told[j] = true
				path = append(path, nodes[j].Name)
			}
			if path != nil {
				paths = append(paths, append(path, path[0]))
			}
		}
	}
	slices.SortFunc(paths, slices.Compare)
	return paths
}

// search is the memory of shortestCycle, kept between its calls: a group may need
// as many as it has nodes.
type search struct {
	nodes    []node
	groupOf  []int // the strongly connected group of each node
	from     []int // the node that a node was reached from
	seenFrom []int // 1 + the start of the search that reached it last
}

func newSearch(nodes []node, groups [][]int) *search {
	n := len(nodes)
	s := &search{nodes: nodes, groupOf: make([]int, n), from: make([]int, n), seenFrom: make([]int, n)}
	for number, group := range groups {
		for _, i := range group {
			s.groupOf[i] = number
		}
	}
	return s
}

// shortestCycle searches breadth-first, inside the group of start, for a way from
// start back to start. It returns the nodes on it from the smallest on, and nil when
// start is alone and does not depend on itself.
func (s *search) shortestCycle(start int) []int {
	queue := []int{start}
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		for _, d := range s.nodes[i].deps {
			if d == start {
				path := []int{i}
				for i != start {
					i = s.from[i]
					path = append(path, i)
				}
				slices.Reverse(path)
				least := slices.Index(path, slices.Min(path))
				return append(path[least:len(path):len(path)], path[:least]...)
			}
			if s.seenFrom[d] != start+1 && s.groupOf[d] == s.groupOf[start] {
				s.from[d], s.seenFrom[d] = i, start+1
				queue = append(queue, d)
			}
		}
	}
	return nil
}

// stronglyConnected is Tarjan's algorithm (1972), with an explicit stack: a chain
// of components may be as long as the caller likes.
func stronglyConnected(nodes []node) [][]int {
	const unseen = -1
	type visit struct{ node, next int }
	var (
		groups  [][]int
		counter int
		open    []int // Tarjan's stack of nodes whose group is not known yet
		order   = make([]int, len(nodes))
		low     = make([]int, len(nodes))
		isOpen  = make([]bool, len(nodes))
	)
	for i := range order {
		order[i] = unseen
	}
	for root := range nodes {
		if order[root] != unseen {
			continue
		}
		calls := []visit{{node: root}}
		for len(calls) > 0 {
			v := &calls[len(calls)-1]
			if v.next == 0 {
				order[v.node], low[v.node] = counter, counter
				counter++
				open = append(open, v.node)
				isOpen[v.node] = true
			}
			if deps := nodes[v.node].deps; v.next < len(deps) {
				d := deps[v.next]
				v.next++
				if order[d] == unseen {
					calls = append(calls, visit{node: d})
				} else if isOpen[d] {
					low[v.node] = min(low[v.node], order[d])
				}
				continue
			}
			if low[v.node] == order[v.node] {
				i := slices.Index(open, v.node)
				group := slices.Clone(open[i:])
				for _, n := range group {
					isOpen[n] = false
				}
				open = open[:i]
				groups = append(groups, group)
			}
			done := v.node
			calls = calls[:len(calls)-1]
			if len(calls) > 0 {
				parent := calls[len(calls)-1].node
				low[parent] = min(low[parent], low[done])
			}
		}
	}
	return groups
}
