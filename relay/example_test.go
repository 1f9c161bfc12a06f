// SPDX-License-Identifier: Apache-2.0

package relay_test

import (
	"errors"
	"fmt"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

func Example() {
	node := relay.NewNode("n1")
	router := relay.NewRouter(node)

	// A host delivers to the processes it holds. This one prints.
	err := node.Register("app:greeters", relay.HostFunc(func(m *relay.Message) error {
		fmt.Printf("%s to %s: %v\n", m.Topic, m.To.Uniq(), m.Payload().Data)
		m.Release()
		return nil
	}))
	if err != nil {
		fmt.Println(err)
		return
	}

	to := relay.NewPID("", "app:greeters", "0x00001")
	m := relay.NewMessage(relay.PID{}, to, "hello", payload.New("world"))
	if err := router.Send(m); err != nil {
		m.Release() // refused, so it is still ours
		fmt.Println(err)
	}
	// Output: hello to 0x00001: world
}

func ExampleParsePID() {
	p, err := relay.ParsePID("{n1@app:processes|0x00001}")
	fmt.Println(p.Node(), p.Host(), p.Uniq(), err)
	_, err = relay.ParsePID("app:processes")
	fmt.Println(err)
	// Output:
	// n1 app:processes 0x00001 <nil>
	// invalid pid format: missing braces
}

func ExampleRouter_Send_unknown() {
	router := relay.NewRouter(relay.NewNode("n1"))
	err := router.Send(relay.NewMessage(relay.PID{}, relay.NewPID("n2", "app:processes", "0x00001"), "hello"))
	var e *relay.Error
	if errors.As(err, &e) {
		fmt.Println(e.Kind(), e, e.Details()["node_id"])
	}
	// Output: NotFound node not found n2
}
