// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"

	"github.com/CloudyKit/jet/v6"
)

// Jet runs a template to its end, whatever it does: a block that yields itself uses up the stack, which no Go program
// survives, and a loop in a loop in a loop runs for ever. So an action is put at the start of each list of nodes that
// can be executed repeatedly: it calls watch.step.

// limits bound one rendering.
type limits struct {
	steps  int // includes, yields and iterations
	output int // bytes
}

// standard are the limits of sets: ten million steps take about three seconds.
var standard = limits{steps: 10_000_000, output: 64 << 20}

const (
	// maxFrames is how deep the Go stack may get, in frames: 3 MB. Two frames are an include.
	maxFrames = 10_000
	// stepMask decides how often a step looks at the stack and the context: walking the stack takes five
	// microseconds. In between the stack gets 64 includes deeper at most.
	stepMask = 63
)

var errFrames = errors.New("templates: includes and blocks are nested too deeply")

func (l *limits) errSteps() error {
	return fmt.Errorf("templates: more than %d includes, blocks and iterations", l.steps)
}

func (l *limits) errOutput() error {
	return fmt.Errorf("templates: the output is longer than %d bytes", l.output)
}

// stepName is the name of the function that makes a step, a variable of each rendering.
const stepName = "\x00step"

// watch is the output of one rendering and ends it when there is too much.
type watch struct {
	*limits
	ctx    context.Context
	out    strings.Builder
	done   int   // steps
	failed error // ends the rendering, whatever the template does about it
}

// Write implements io.Writer.
func (w *watch) Write(p []byte) (int, error) {
	if w.out.Len()+len(p) > w.output {
		w.failed = w.errOutput()
	}
	if w.failed != nil {
		return 0, w.failed
	}
	return w.out.Write(p)
}

// step makes a step. It panics to end the rendering: so Jet does.
func (w *watch) step(to io.Writer) {
	if w.done++; w.failed == nil && w.done&stepMask == 0 {
		w.failed = w.look(to)
	}
	if w.failed != nil {
		panic(w.failed)
	}
}

func (w *watch) look(to io.Writer) error {
	var frame [1]uintptr
	switch {
	case w.done > w.steps:
		return w.errSteps()
	case runtime.Callers(maxFrames, frame[:]) > 0:
		return errFrames
	}
	// What a try statement writes is kept apart until it has ended.
	if buffer, ok := to.(*bytes.Buffer); ok && buffer.Len() > w.output {
		return w.errOutput()
	}
	return w.ctx.Err()
}

// function is step as a function for templates.
func (w *watch) function() jet.Func {
	return func(a jet.Arguments) reflect.Value {
		w.step(a.Runtime().Writer)
		return reflect.Value{}
	}
}

// watchTemplate adds the steps to a parsed template. It must be called once for each.
func watchTemplate(t *jet.Template) {
	watchNodes(t.Root)
	addStep(t.Root)
}

func addStep(list *jet.ListNode) {
	node := &jet.ActionNode{NodeBase: list.NodeBase, Pipe: &jet.PipeNode{Cmds: []*jet.CommandNode{{}}}}
	node.NodeType = jet.NodeAction
	node.Pipe.NodeType = jet.NodePipe
	name := &jet.IdentifierNode{NodeBase: list.NodeBase, Ident: stepName}
	name.NodeType = jet.NodeIdentifier
	node.Pipe.Cmds[0].BaseExpr, node.Pipe.Cmds[0].Exprs = name, []jet.Expression{} // a call without arguments
	list.Nodes = append([]jet.Node{node}, list.Nodes...)
}

// watchNodes goes through what is in a list.
func watchNodes(list *jet.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch node := node.(type) {
		case *jet.IfNode:
			watchNodes(node.List)
			watchNodes(node.ElseList)
		case *jet.RangeNode:
			watchNodes(node.List)
			watchNodes(node.ElseList)
			addStep(node.List)
		case *jet.TryNode:
			watchNodes(node.List)
			if node.Catch != nil {
				watchNodes(node.Catch.List)
			}
		case *jet.BlockNode:
			watchNodes(node.List)
			addStep(node.List)
			if node.Content != nil {
				watchNodes(node.Content)
				addStep(node.Content)
			}
		case *jet.YieldNode:
			if node.Content != nil {
				watchNodes(node.Content)
				addStep(node.Content)
			}
		}
	}
}
