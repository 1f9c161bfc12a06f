package loader_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/wippyrun/kit/loader"
)

func TestPanicBecomesAnError(t *testing.T) {
	boom := errors.New("boom")
	blowUp := func() { panic(boom) }
	for name, c := range map[string]loader.Component{
		"load":  {Name: "c", Load: func(context.Context) (context.Context, error) { blowUp(); return nil, nil }},
		"start": {Name: "c", Start: func(context.Context) error { blowUp(); return nil }},
		"stop":  {Name: "c", Stop: func(context.Context) error { blowUp(); return nil }},
	} {
		t.Run(name, func(t *testing.T) {
			l := mustNew(t, c)
			ctx, err := l.Load(t.Context())
			if err == nil {
				err = l.Start(ctx)
			}
			err = errors.Join(err, l.Stop(context.Background()))
			var ce *loader.ComponentError
			var pe *loader.PanicError
			if !errors.As(err, &ce) || string(ce.Phase) != name || !errors.As(err, &pe) || !errors.Is(err, boom) {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(string(pe.Stack), "TestPanicBecomesAnError") {
				t.Errorf("the stack does not lead to the panic:\n%s", pe.Stack)
			}
		})
	}
}

func TestCausesHaveKinds(t *testing.T) {
	for err, want := range map[error]string{
		loader.ErrTimeout:                 "Timeout",
		loader.ErrAbandoned:               "Timeout",
		loader.ErrExited:                  "Internal",
		&loader.PanicError{Value: "boom"}: "Internal",
	} {
		// A consumer finds the kind behind the error that names the component.
		wrapped := error(&loader.ComponentError{Phase: loader.PhaseLoad, Component: "c", Err: err})
		var k interface{ Kind() string }
		if !errors.As(wrapped, &k) || k.Kind() != want {
			t.Errorf("%v: kind is not %s", wrapped, want)
		}
	}
	if got := (&loader.PanicError{Value: "boom"}).Error(); got != "panic: boom" {
		t.Errorf("text %q", got)
	}
}

func TestGoexitBecomesAnError(t *testing.T) {
	l := mustNew(t, loader.Component{Name: "c", Load: func(context.Context) (context.Context, error) {
		runtime.Goexit()
		return nil, nil
	}})
	if _, err := l.Load(t.Context()); !errors.Is(err, loader.ErrExited) {
		t.Errorf("got %v", err)
	}
}

func TestCallsInTheWrongOrderAreRefused(t *testing.T) {
	refused := func(what string, err error, want string) {
		t.Helper()
		var se *loader.StateError
		if !errors.As(err, &se) || err.Error() != want || se.Kind() != "InvalidState" ||
			want != "loader: cannot "+string(se.Phase)+" when "+se.State {
			t.Errorf("%s: got %v, want %q", what, err, want)
		}
	}
	l := mustNew(t, parse("a")...)
	refused("Start of a new loader", l.Start(t.Context()), "loader: cannot start when new")
	ctx := mustLoad(t, l)
	_, err := l.Load(t.Context())
	refused("second Load", err, "loader: cannot load when loaded")
	if err := l.Start(ctx); err != nil {
		t.Fatal(err)
	}
	refused("second Start", l.Start(ctx), "loader: cannot start when started")
	mustStop(t, l)
	refused("Start after Stop", l.Start(ctx), "loader: cannot start when stopped")
}
