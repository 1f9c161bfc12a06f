// SPDX-License-Identifier: Apache-2.0

package fault_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/wippyrun/kit/wippy/system/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// foreign is an error of another module: it knows its kind, not this package.
type foreign struct {
	kind    string
	retry   bool
	details map[string]any
}

func (f foreign) Error() string           { return "foreign" }
func (f foreign) Kind() string            { return f.kind }
func (f foreign) Retryable() (bool, bool) { return f.retry, true }
func (f foreign) Details() map[string]any { return f.details }

func TestErrorTextJoinsMessageAndCause(t *testing.T) {
	cause := errors.New("disk full")
	for _, tc := range []struct {
		err  error
		want string
	}{
		{fault.New(fault.Invalid, "bad name"), "bad name"},
		{fault.Wrap(fault.Internal, "cannot save", cause), "cannot save: disk full"},
		{fault.New(fault.Internal, "cannot save").Because(cause), "cannot save: disk full"},
		{fault.Wrap(fault.Invalid, "no cause", nil), "no cause"},
	} {
		if got := tc.err.Error(); got != tc.want {
			t.Errorf("Error() = %q, want %q", got, tc.want)
		}
	}
	if got := fault.Wrap(fault.Internal, "cannot save", cause).Message(); got != "cannot save" {
		t.Errorf("Message() = %q", got)
	}
}

func TestKindOfChains(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
		want fault.Kind
	}{
		{"nil", nil, fault.Unknown},
		{"plain", errors.New("x"), fault.Unknown},
		{"own", fault.New(fault.NotFound, "x"), fault.NotFound},
		{"outer wins", fault.Wrap(fault.Internal, "x", fault.New(fault.NotFound, "y")), fault.Internal},
		{"unknown outer asks inner", fault.Wrap(fault.Unknown, "x", fault.New(fault.NotFound, "y")), fault.NotFound},
		{"through fmt", fmt.Errorf("a: %w", fault.New(fault.Conflict, "y")), fault.Conflict},
		{"foreign", fmt.Errorf("a: %w", foreign{kind: "RateLimited"}), fault.RateLimited},
		{"foreign without kind over one with", fmt.Errorf("%w %w", foreign{}, fault.New(fault.Timeout, "t")), fault.Timeout},
		{"spelled unknown", foreign{kind: "Unknown"}, fault.Unknown},
		{"joined", errors.Join(errors.New("a"), fault.New(fault.Invalid, "b")), fault.Invalid},
		{"canceled", fmt.Errorf("a: %w", context.Canceled), fault.Canceled},
		{"deadline", fault.Wrap(fault.Unknown, "a", context.DeadlineExceeded), fault.Timeout},
		{"kind beats context error", fault.Wrap(fault.Unavailable, "a", context.Canceled), fault.Unavailable},
	} {
		if got := fault.KindOf(tc.err); got != tc.want {
			t.Errorf("%s: KindOf = %q, want %q", tc.name, got, tc.want)
		}
	}
	if fault.Unknown.String() != "Unknown" || fault.NotFound.String() != "NotFound" {
		t.Error("Kind.String must print every kind by name")
	}
}

func TestRetryableIsTriState(t *testing.T) {
	base := fault.New(fault.Internal, "x")
	for _, tc := range []struct {
		name             string
		err              error
		retryable, known bool
	}{
		{"nil", nil, false, false},
		{"unspecified", base, false, false},
		{"final", base.Final(), false, true},
		{"transient", base.Transient(), true, true},
		{"outer wins", fault.Wrap(fault.Internal, "y", base.Transient()).Final(), false, true},
		{"inner answers", fault.Wrap(fault.Internal, "y", base.Transient()), true, true},
		{"foreign", fmt.Errorf("a: %w", foreign{retry: true}), true, true},
	} {
		retryable, known := fault.RetryableOf(tc.err)
		if retryable != tc.retryable || known != tc.known {
			t.Errorf("%s: RetryableOf = %v, %v; want %v, %v", tc.name, retryable, known, tc.retryable, tc.known)
		}
	}
}

func TestOpenPartsComeFromTheCause(t *testing.T) {
	inner := fault.New(fault.NotFound, "inner").Transient().With("a", 1).With("b", 2)
	outer := fault.Wrap(fault.Unknown, "outer", fmt.Errorf("middle: %w", inner)).With("b", 3)
	if got := outer.Kind(); got != "NotFound" {
		t.Errorf("Kind() = %q", got)
	}
	if r, known := outer.Retryable(); !r || !known {
		t.Errorf("Retryable() = %v, %v", r, known)
	}
	if got, want := outer.Details(), (map[string]any{"a": 1, "b": 3}); !reflect.DeepEqual(got, want) {
		t.Errorf("Details() = %v, want %v", got, want)
	}
	if got := fault.Wrap(fault.Unknown, "outer", inner).Details(); !reflect.DeepEqual(got, inner.Details()) {
		t.Errorf("Details() without own = %v", got)
	}
	if got := fault.Wrap(fault.Unknown, "outer", errors.New("x")).Details(); got != nil {
		t.Errorf("Details() of nothing = %v", got)
	}
}

func TestDetailsOfMergesForeignErrors(t *testing.T) {
	err := errors.Join(
		foreign{details: map[string]any{"a": 1}},
		foreign{details: map[string]any{"a": 2, "b": 2}},
		foreign{},
		foreign{details: map[string]any{"c": 3}},
	)
	if got, want := fault.DetailsOf(err), (map[string]any{"a": 1, "b": 2, "c": 3}); !reflect.DeepEqual(got, want) {
		t.Errorf("DetailsOf = %v, want %v", got, want)
	}
	if got := fault.DetailsOf(errors.New("x")); got != nil {
		t.Errorf("DetailsOf(plain) = %v", got)
	}
}

func TestMatchingWalksTheChain(t *testing.T) {
	sentinel := fault.New(fault.NotFound, "host not found")
	for _, tc := range []struct {
		name string
		err  error
		want bool
	}{
		{"refined", sentinel.With("id", "x").Final(), true},
		{"with cause", sentinel.Because(errors.New("y")), true},
		{"wrapped", fmt.Errorf("a: %w", fault.Wrap(fault.Internal, "b", sentinel)), true},
		{"joined", errors.Join(errors.New("a"), sentinel), true},
		{"other kind", fault.New(fault.Invalid, "host not found"), false},
		{"other message", fault.New(fault.NotFound, "peer not found"), false},
	} {
		if got := errors.Is(tc.err, sentinel); got != tc.want {
			t.Errorf("%s: errors.Is = %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestRefiningLeavesTheOriginalAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := fault.New(fault.Internal, "x")
		want := map[string]any{}
		for _, k := range rapid.SliceOf(rapid.SampledFrom([]string{"a", "b", "c"})).Draw(t, "keys") {
			before := len(e.Details())
			next := e.With(k, len(want))
			want[k] = len(want)
			if len(e.Details()) != before {
				t.Fatal("With changed its receiver")
			}
			e = next
		}
		_ = e.Final()
		_ = e.Because(errors.New("y"))
		if _, known := e.Retryable(); known || e.Unwrap() != nil {
			t.Fatal("Final or Because changed its receiver")
		}
		if len(e.Details()) != len(want) {
			t.Fatalf("details %v, want keys of %v", e.Details(), want)
		}
	})
}
