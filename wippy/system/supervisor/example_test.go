// SPDX-License-Identifier: Apache-2.0

package supervisor_test

import (
	"context"
	"fmt"

	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// listener is a service that cannot fail by itself.
type listener struct{ name string }

func (l listener) Start(context.Context) (<-chan any, error) {
	fmt.Println(l.name, "up")
	return nil, nil
}

func (l listener) Stop(context.Context) error {
	fmt.Println(l.name, "down")
	return nil
}

func Example() {
	ctx := context.Background()
	s := supervisor.New()
	lc, _ := supervisor.ParseLifecycle(map[string]any{"auto_start": false, "requires": []any{"app:db"}})

	_ = s.Begin(ctx)
	_ = s.Register("app:db", listener{"db"}, supervisor.DefaultLifecycle(), nil)
	_ = s.Register("app:api", listener{"api"}, lc, nil)
	_ = s.Commit(ctx)
	_ = s.Settled(ctx)

	_ = s.Start(ctx, "app:api")
	st, _ := s.State("app:db")
	fmt.Println(st.State)
	_ = s.Shutdown(ctx)
	// Output:
	// db up
	// api up
	// running
	// api down
	// db down
}
