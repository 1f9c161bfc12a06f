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
// duplicates and missing dependencies first, then cycles among the rest.
func newGraph(components []Component) (*graph, error) {
	var problems []Problem

	sorted := slices.Clone(components)
	slices.SortStableFunc(sorted, func(a, b Component) int { return cmp.Compare(a.Name, b.Name) })

	byName := make(map[string]int, len(sorted))
	var nodes []node
	for _, c := range sorted {
		switch _, taken := byName[c.Name]; {
		case c.Name == "":
			problems = append(problems, Problem{Kind: Unnamed})
		case taken:
			// Three components of one name are one problem.
			p := Problem{Kind: Duplicate, Component: c.Name}
			if len(problems) == 0 || problems[len(problems)-1].Component != c.Name {
				problems = append(problems, p)
			}
		default:
			byName[c.Name] = len(nodes)
			nodes = append(nodes, node{Component: c})
		}
	}
	for i := range nodes {
		n := &nodes[i]
		names := slices.Clone(n.DependsOn)
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			if d, ok := byName[name]; ok {
				n.deps = append(n.deps, d)
			} else {
				problems = append(problems, Problem{Kind: Missing, Component: n.Name, Dependency: name})
			}
		}
	}
	for _, path := range cycles(nodes) {
		problems = append(problems, Problem{Kind: Cycle, Component: path[0], Path: path})
	}
	if len(problems) > 0 {
		return nil, &GraphError{Problems: problems}
	}
	return level(nodes), nil
}

// level assigns levels to an acyclic graph and sorts the nodes by them.
func level(nodes []node) *graph {
	// Kahn's algorithm, one round per level.
	waiting := make([]int, len(nodes))
	users := make([][]int, len(nodes))
	var ready []int
	for i, n := range nodes {
		waiting[i] = len(n.deps)
		for _, d := range n.deps {
			users[d] = append(users[d], i)
		}
		if len(n.deps) == 0 {
			ready = append(ready, i)
		}
	}
	g := &graph{nodes: make([]node, 0, len(nodes))}
	position := make([]int, len(nodes)) // index into nodes -> index into g.nodes
	for len(ready) > 0 {
		slices.Sort(ready) // nodes are sorted by name, so this sorts by name
		var row, next []int
		for _, i := range ready {
			n := nodes[i]
			n.level = len(g.levels)
			n.deps = slices.Clone(n.deps)
			for k, d := range n.deps {
				n.deps[k] = position[d]
			}
			position[i] = len(g.nodes)
			row = append(row, len(g.nodes))
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
	return g
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

// cycles returns one shortest cycle for every strongly connected component of the
// graph that has one. A path begins and ends with the component's smallest name;
// the paths are sorted.
func cycles(nodes []node) [][]string {
	var paths [][]string
	for _, group := range stronglyConnected(nodes) {
		start := slices.Min(group)
		if path := shortestCycle(nodes, start, group); path != nil {
			paths = append(paths, path)
		}
	}
	slices.SortFunc(paths, slices.Compare)
	return paths
}

// shortestCycle searches breadth-first, inside group, for a way from start back to
// start. It returns nil for a group of one node without an edge to itself.
func shortestCycle(nodes []node, start int, group []int) []string {
	inside := make(map[int]bool, len(group))
	for _, i := range group {
		inside[i] = true
	}
	from := map[int]int{}
	queue := []int{start}
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		for _, d := range nodes[i].deps {
			if d == start {
				path := []string{nodes[start].Name}
				for ; i != start; i = from[i] {
					path = append(path, nodes[i].Name)
				}
				path = append(path, nodes[start].Name)
				slices.Reverse(path)
				return path
			}
			if _, seen := from[d]; !seen && inside[d] {
				from[d] = i
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
