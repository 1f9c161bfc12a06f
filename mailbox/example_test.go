package mailbox_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/wippyrun/kit/mailbox"
)

func Example() {
	ctx := context.Background()
	m := mailbox.New(func(text string) { fmt.Println(text) }, mailbox.Options{Workers: 4})

	// Messages of one sender stay in order; the mailbox waits when it is full.
	for _, text := range []string{"one", "two", "three"} {
		if err := m.Send(ctx, "alice", text); err != nil {
			fmt.Println(err)
		}
	}
	if err := m.Close(ctx); err != nil { // handles what was accepted
		fmt.Println(err)
	}
	fmt.Println(m.Send(ctx, "alice", "four"))
	// Output:
	// one
	// two
	// three
	// mailbox: closed
}

func ExampleMailbox_TrySend() {
	gate := make(chan struct{})
	m := mailbox.New(func(int) { <-gate }, mailbox.Options{Workers: 1, Capacity: 2})
	for n := range 3 {
		err := m.TrySend("alice", n)
		fmt.Println(err, errors.Is(err, mailbox.ErrFull))
	}
	close(gate)
	if err := m.Close(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// <nil> false
	// <nil> false
	// mailbox: full true
}
