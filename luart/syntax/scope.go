// SPDX-License-Identifier: Apache-2.0

package syntax

import (
	"fmt"

	"github.com/yuin/gopher-lua/ast"
)

// Names no program can write, of the locals and labels that lowering adds.
const (
	varGenerator = "(for generator)"
	varState     = "(for state)"
	varControl   = "(for control)"
	varFirst     = "(for first)"
	labelBreak   = "(break)"
)

// scopeState tracks what a goto needs to know: how many locals of the function are active where. gopher-lua numbers
// registers the same way, so the count at a label is the first register that a jump to it has to close.
type scopeState struct {
	vars   []string    // active locals, of all functions being parsed
	base   int         // where those of the innermost function begin
	labels []label     // of the open blocks
	gotos  []jump      // not resolved yet
	slots  []*ast.Stmt // break statements of the open loops
	loops  int         // loops around the current statement, in this function
	funcs  int         // function bodies parsed so far
	depth  int         // function bodies around the current statement
	fn     int32       // number of the innermost function, in source order; the chunk is 0
	ids    []int32     // what vars are in locals
	locals []localInfo // all that were declared, see locals.go
	vararg bool        // the innermost function takes ...
}

type label struct {
	name   string
	at     token
	active int // locals in scope
	index  int // place in the statement stack
}

type jump struct {
	stmt   *ast.GotoStmt
	at     token
	active int
}

// block marks where a block began in the stacks of scopeState and in the statement stack.
type block struct {
	vars, labels, gotos, stmts int
}

func (p *parser) openBlock() block {
	return block{len(p.scope.vars), len(p.scope.labels), len(p.scope.gotos), p.stmts.mark()}
}

func (p *parser) declare(names ...string) {
	s := &p.scope
	for _, name := range names {
		s.vars = append(s.vars, name)
		s.ids = append(s.ids, int32(len(s.locals)))
		s.locals = append(s.locals, localInfo{name: name, fn: s.fn})
	}
}

// endBody makes the locals of a function's body, or of the chunk, last as long as its code. It comes before closeBlock.
func (p *parser) endBody(b block) {
	for _, id := range p.scope.ids[b.vars:] {
		p.scope.locals[id].end = lastLine
	}
}

func (p *parser) active() int { return len(p.scope.vars) - p.scope.base }

// closeBlock ends the scope of a block's locals and labels and resolves the jumps to them. stmts are its statements.
// untilFollows says that the condition of a repeat loop follows, which can still see the locals.
func (p *parser) closeBlock(b block, stmts []ast.Stmt, untilFollows bool) {
	s := &p.scope
	if n := len(stmts); n > 0 {
		if _, ok := stmts[n-1].(*ast.BreakStmt); ok {
			s.slots = append(s.slots, &stmts[n-1])
		}
	}
	if len(s.gotos) > b.gotos || len(s.labels) > b.labels {
		p.resolve(b, stmts, untilFollows)
	}
	s.labels = s.labels[:b.labels]
	for _, id := range s.ids[b.vars:] {
		if s.locals[id].end == 0 {
			s.locals[id].end = int32(p.tok.line)
		}
	}
	s.vars, s.ids = s.vars[:b.vars], s.ids[:b.vars]
}

func (p *parser) resolve(b block, stmts []ast.Stmt, untilFollows bool) {
	s := &p.scope
	outer := b.vars - s.base
	labels := s.labels[b.labels:]
	if !untilFollows {
		// A label with nothing but labels behind it lies outside the scope of the block's locals.
		last := len(stmts)
		for last > 0 && isLabel(stmts[last-1]) {
			last--
		}
		for i := range labels {
			if labels[i].index-b.stmts >= last {
				labels[i].active = outer
			}
		}
	}
	open := s.gotos[:b.gotos]
next:
	for _, g := range s.gotos[b.gotos:] {
		for _, l := range labels {
			if l.name != g.stmt.Label {
				continue
			}
			if g.active < l.active {
				p.compileError(g.at, fmt.Sprintf("<goto %s> at line %d jumps into the scope of local '%s'",
					l.name, g.stmt.Line(), s.vars[s.base+g.active]))
			}
			p.fixGoto(g.stmt, l.active)
			continue next
		}
		g.active = min(g.active, outer)
		open = append(open, g)
	}
	s.gotos = open
}

func isLabel(s ast.Stmt) bool {
	_, ok := s.(*ast.LabelStmt)
	return ok
}

// labelStmt parses ::name::, which is the current token.
func (p *parser) labelStmt(b block) ast.Stmt {
	t := p.tok
	if wordKind(t.text) != kName {
		p.fail(t, "syntax error: unexpected "+p.describe(&t)+", expected a label name", "'"+t.text+"' is a reserved word")
	}
	for _, l := range p.scope.labels[b.labels:] {
		if l.name == t.text {
			p.compileError(t, fmt.Sprintf("label '%s' already defined on line %d", t.text, l.at.line))
		}
	}
	p.scope.labels = append(p.scope.labels, label{t.text, t, p.active(), p.stmts.mark()})
	s := &ast.LabelStmt{Name: t.text}
	s.SetLine(t.line)
	p.next()
	return s
}

func (p *parser) gotoStmt() ast.Stmt {
	t := p.tok
	p.next()
	t.end = p.tok.end
	s := &ast.GotoStmt{Label: p.expectName("a label name")}
	s.SetLine(t.line)
	p.scope.gotos = append(p.scope.gotos, jump{s, t, p.active()})
	return s
}

// function marks what has to be put back when a function body ends.
type function struct {
	base, gotos, loops int
	vararg             bool
	fn                 int32
}

func (p *parser) openFunction() function {
	s := &p.scope
	f := function{s.base, len(s.gotos), s.loops, s.vararg, s.fn}
	s.base, s.loops, s.vararg = len(s.vars), 0, false
	s.funcs++
	s.fn = int32(s.funcs)
	s.depth++
	return f
}

func (p *parser) closeFunction(f function) {
	s := &p.scope
	if len(s.gotos) > f.gotos {
		g := s.gotos[f.gotos]
		p.compileError(g.at, fmt.Sprintf("no visible label '%s' for <goto> at line %d", g.stmt.Label, g.stmt.Line()))
	}
	s.base, s.loops, s.vararg = f.base, f.loops, f.vararg
	s.fn = f.fn
	s.depth--
}

// loop marks the state in front of a loop.
type loop struct{ slots, funcs, active int }

func (p *parser) openLoop() loop {
	p.scope.loops++
	return loop{len(p.scope.slots), p.scope.funcs, p.active()}
}

// closeLoop ends a loop and reports whether its break statements became jumps to labelBreak, which the caller has to
// place behind the loop. They do when the loop creates functions: gopher-lua's break closes the captured variables of
// the loop's own block only, so that those of the blocks between would be overwritten.
func (p *parser) closeLoop(l loop) bool {
	s := &p.scope
	s.loops--
	slots := s.slots[l.slots:]
	s.slots = s.slots[:l.slots]
	if len(slots) == 0 || s.funcs == l.funcs || p.unlowered {
		return false
	}
	for _, slot := range slots {
		g := &ast.GotoStmt{Label: labelBreak}
		g.SetLine((*slot).Line())
		p.fixGoto(g, l.active)
		*slot = g
	}
	return true
}

func (p *parser) fixGoto(g *ast.GotoStmt, active int) {
	p.fixes = append(p.fixes, gotoFix{g, active, p.scope.depth == 0})
}
