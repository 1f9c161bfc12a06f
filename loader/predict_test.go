package loader_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wippyrun/kit/loader"
)

// model calculates a history, one phase after another.
type model struct {
	scenario
	now     time.Duration // since the beginning
	up      map[string]bool
	timings map[string]*loader.Timing
	history
}

const (
	timedOut  = "timed out"
	abandoned = "did not return after its context ended"
	expired   = "context deadline exceeded"
	canceled  = "context canceled"
)

// ending is the end of one call.
type ending struct {
	at   time.Duration
	text string // "" for success
}

// endOf calculates the end of a call that begins now, given the time at which its
// context ends and the error that is then in it.
func (m *model) endOf(p part, phase loader.Phase, contextEnds time.Duration, contextErr string) ending {
	a := p.acts[phase]
	end := ending{at: never}
	if a.takes != never {
		end = ending{m.now + a.takes, map[string]string{
			"ok":    "",
			"error": p.name + " broke",
			"panic": "panic: " + p.name + " blew up",
			"exit":  "ended its goroutine instead of returning",
		}[a.result]}
	}
	seen := max(contextEnds, m.now)
	if a.watches && seen < end.at {
		end = ending{seen, contextErr}
	}
	if seen+grace < end.at {
		end = ending{seen + grace, abandoned}
	}
	if p.timeout > 0 && m.now+p.timeout <= end.at { // its time-out may be what ends the contexts
		end = ending{m.now + p.timeout, timedOut}
	}
	return end
}

// record notes a call that begins now, with its end, and returns its error.
func (m *model) record(p part, phase loader.Phase, end ending) string {
	m.calls = append(m.calls, fmt.Sprintf("%020d %s %s", m.now, phase, p.name))
	took := end.at - m.now
	switch phase {
	case loader.PhaseLoad:
		m.timings[p.name].Load = took
	case loader.PhaseStart:
		m.timings[p.name].Start = took
	default:
		m.timings[p.name].Stop = took
	}
	if end.text == "" {
		return ""
	}
	text := fmt.Sprintf("failed to %s component: %s: %s", phase, p.name, end.text)
	if end.text == timedOut || end.text == abandoned {
		text += fmt.Sprintf(" (after %v)", took.Round(time.Millisecond))
	}
	return text
}

func predict(s scenario) history {
	m := &model{scenario: s, up: map[string]bool{}, timings: map[string]*loader.Timing{}}
	m.errors, m.wall = map[loader.Phase]string{}, map[loader.Phase]time.Duration{}
	for _, p := range s.parts {
		m.timings[p.name] = &loader.Timing{Name: p.name, Level: p.level}
	}
	inPhase := func(phase loader.Phase, run func(deadline time.Duration) []string) bool {
		begun := m.now
		lines := run(begun + m.deadline[phase])
		if lines != nil && phase != loader.PhaseStop {
			lines = append(lines, m.stop(never)...)
		}
		m.wall[phase] = m.now - begun
		if lines != nil {
			slices.Sort(lines)
			m.errors[phase] = strings.Join(lines, "\n")
		}
		return lines == nil
	}
	if inPhase(loader.PhaseLoad, m.load) {
		m.path = m.now
		inPhase(loader.PhaseStart, m.start)
	}
	inPhase(loader.PhaseStop, m.stop)
	slices.Sort(m.calls)
	for _, p := range s.parts {
		m.history.timings = append(m.history.timings, *m.timings[p.name])
	}
	return m.history
}

// load returns the lines of the error of Load, without those of stopping.
func (m *model) load(deadline time.Duration) []string {
	for level := 0; slices.ContainsFunc(m.parts, func(p part) bool { return p.level >= level }); level++ {
		if m.now >= deadline {
			return []string{expired}
		}
		var row []part
		for _, p := range m.parts {
			switch {
			case p.level != level:
			case p.acts[loader.PhaseLoad].present:
				row = append(row, p)
			default:
				m.up[p.name] = !p.acts[loader.PhaseStart].present
			}
		}
		// The first failure, or else the deadline, ends the contexts.
		failure := never
		for _, p := range row {
			if end := m.endOf(p, loader.PhaseLoad, deadline, expired); end.text != "" {
				failure = min(failure, end.at)
			}
		}
		contextsEnd, contextErr := deadline, expired
		if failure < deadline {
			contextsEnd, contextErr = failure, canceled
		}
		var lines []string
		over := m.now
		for _, p := range row {
			end := m.endOf(p, loader.PhaseLoad, contextsEnd, contextErr)
			over = max(over, end.at)
			line := m.record(p, loader.PhaseLoad, end)
			if line == "" {
				m.up[p.name] = !p.acts[loader.PhaseStart].present
			} else if end.text != canceled { // an echo
				lines = append(lines, line)
			}
		}
		m.now = over
		if lines != nil {
			return m.withCause(lines, deadline)
		}
	}
	return nil
}

// withCause adds the end of the caller's context to an error that does not tell it.
func (m *model) withCause(lines []string, deadline time.Duration) []string {
	if m.now >= deadline && !strings.Contains(strings.Join(lines, "\n"), expired) {
		lines = append(lines, expired)
	}
	return lines
}

// start returns the lines of the error of Start, without those of stopping.
func (m *model) start(deadline time.Duration) []string {
	var row []part
	for _, p := range m.parts {
		if p.acts[loader.PhaseStart].present {
			row = append(row, p)
		}
	}
	if m.now >= deadline {
		return []string{expired}
	}
	for i, p := range row {
		if i > 0 && m.now >= deadline {
			return []string{expired}
		}
		end := m.endOf(p, loader.PhaseStart, deadline, expired)
		line := m.record(p, loader.PhaseStart, end)
		m.now = end.at
		if line != "" {
			return m.withCause([]string{line}, deadline)
		}
		m.up[p.name] = true
	}
	return nil
}

// stop returns the lines of the error of stopping what is up.
func (m *model) stop(deadline time.Duration) []string {
	var lines []string
	for _, p := range slices.Backward(m.parts) {
		if !m.up[p.name] || !p.acts[loader.PhaseStop].present {
			continue
		}
		m.up[p.name] = false
		end := m.endOf(p, loader.PhaseStop, deadline, expired)
		if line := m.record(p, loader.PhaseStop, end); line != "" {
			lines = append(lines, line)
		}
		m.now = end.at
	}
	return lines
}
