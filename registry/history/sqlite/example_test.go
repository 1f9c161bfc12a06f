// SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/history/sqlite"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "registry")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for range 2 { // the second round is a restart
		h, err := sqlite.Open(ctx, filepath.Join(dir, "registry.db"))
		if err != nil {
			fmt.Println(err)
			return
		}
		r, err := registry.New(registry.WithHistory(h))
		if err != nil {
			fmt.Println(err)
			return
		}
		_ = r.LoadState(ctx, nil) // entries from files would go here
		fmt.Println(r.Current(), r.Snapshot().Len())
		e := registry.Entry{ID: registry.NewID("app", fmt.Sprint("e", r.Snapshot().Len())), Kind: "registry.entry"}
		v, err := r.Apply(ctx, registry.Changeset{{Kind: registry.Create, Entry: e}})
		fmt.Println(v, err)
		_ = r.Close()
	}
	// Output:
	// v0 0
	// v1 <nil>
	// v1 1
	// v2 <nil>
}
