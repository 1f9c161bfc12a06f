// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/wippyrun/kit/loader"
)

// profilerComponent serves pprof while the runtime runs, when the configuration
// asks for it.
func (r *Runtime) profilerComponent() loader.Component {
	var server *http.Server
	return loader.Component{
		Name: Profiler,
		Start: func(context.Context) error {
			if !r.config.Bool("profiler", "enabled", false) {
				return nil
			}
			address := r.config.String("profiler", "address", "localhost:6060")
			listener, err := net.Listen("tcp", address)
			if err != nil {
				return fmt.Errorf("profiler.address: %w", err)
			}
			server = &http.Server{
				Handler:      profilerRoutes(),
				ReadTimeout:  r.config.Duration("profiler", "read_timeout", 15*time.Second),
				WriteTimeout: r.config.Duration("profiler", "write_timeout", 0),
				IdleTimeout:  r.config.Duration("profiler", "idle_timeout", 60*time.Second),
			}
			log := r.log.With("logger", "profiler")
			log.Info("serving profiles", "url", "http://"+listener.Addr().String()+"/debug/pprof/")
			go func() {
				if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
					log.Error("profiler stopped", "error", err)
				}
			}()
			return nil
		},
		Stop: func(ctx context.Context) error {
			if server == nil {
				return nil
			}
			return server.Shutdown(ctx)
		},
	}
}

func profilerRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("/debug/gc", func(w http.ResponseWriter, _ *http.Request) {
		runtime.GC()
		debug.FreeOSMemory()
		fmt.Fprintln(w, "collected")
	})
	mux.HandleFunc("/debug/stats", func(w http.ResponseWriter, _ *http.Request) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Fprintf(w, "goroutines %d\nheap_bytes %d\nheap_objects %d\nstack_bytes %d\nsys_bytes %d\ngc_cycles %d\n",
			runtime.NumGoroutine(), m.HeapAlloc, m.HeapObjects, m.StackInuse, m.Sys, m.NumGC)
	})
	return mux
}
