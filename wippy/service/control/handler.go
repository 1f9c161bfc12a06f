// SPDX-License-Identifier: Apache-2.0

package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/inspect"
)

// Processes is the answer to a query for processes.
type Processes struct {
	Total     int               `json:"total"` // those that match, without the limit
	Processes []inspect.Process `json:"processes"`
}

// Event is one event of the bus.
type Event struct {
	At      time.Time       `json:"at"`
	System  string          `json:"system"`
	Kind    string          `json:"kind"`
	Path    string          `json:"path"`
	Data    json.RawMessage `json:"data,omitempty"`    // as JSON, or the name of its type when that cannot be
	Dropped uint64          `json:"dropped,omitempty"` // events that were lost before this one
}

const (
	// measureTime is how long processes have to tell their memory: they answer in turn.
	measureTime = 5 * time.Second
	// serviceTime bounds how long a service may take to start or stop.
	serviceTime = 2 * time.Minute
	// eventBuffer is how many events wait for a client that reads slowly.
	eventBuffer = 1024
	// eventSize bounds the data of one event; a registry entry may carry a whole program.
	eventSize = 16 << 10
)

type handler struct{ Node }

func (h *handler) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /node", func(w http.ResponseWriter, _ *http.Request) { answer(w, h.Inspector.Info(), nil) })
	mux.HandleFunc("GET /services", func(w http.ResponseWriter, _ *http.Request) { answer(w, h.Inspector.Services(), nil) })
	mux.HandleFunc("GET /processes", h.processes)
	mux.HandleFunc("POST /services/start", h.change(h.Inspector.Supervisor.Start))
	mux.HandleFunc("POST /services/stop", h.change(h.Inspector.Supervisor.Stop))
	mux.HandleFunc("GET /events", h.events)
	return mux
}

// answer writes value, or the error.
func answer(w http.ResponseWriter, value any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(status(err))
		value = map[string]string{"error": err.Error()}
	}
	_ = json.NewEncoder(w).Encode(value) // the client has left
}

func status(err error) int {
	switch fault.KindOf(err) {
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.Conflict, fault.InvalidState:
		return http.StatusConflict
	}
	return http.StatusInternalServerError
}

func (h *handler) processes(w http.ResponseWriter, r *http.Request) {
	q := inspect.Query{Match: r.FormValue("match"), Order: r.FormValue("order"), Memory: r.FormValue("memory") != ""}
	if text := r.FormValue("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			answer(w, nil, fault.New(fault.Invalid, "limit must be a whole number: "+text))
			return
		}
		q.Limit = n
	}
	ctx, cancel := context.WithTimeout(r.Context(), measureTime)
	defer cancel()
	list, total, err := h.Inspector.Processes(ctx, q)
	if err != nil {
		err = fault.Wrap(fault.Invalid, "cannot list processes", err)
	}
	answer(w, Processes{Total: total, Processes: list}, err)
}

// change starts or stops a service and answers with what became of it.
func (h *handler) change(do func(context.Context, string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), serviceTime)
		defer cancel()
		id := r.FormValue("id")
		if err := do(ctx, id); err != nil {
			answer(w, nil, err)
			return
		}
		all := h.Inspector.Services()
		i := slices.IndexFunc(all, func(s inspect.Service) bool { return s.ID == id })
		if i < 0 { // removed meanwhile
			answer(w, nil, fault.New(fault.NotFound, "service not found: "+id))
			return
		}
		answer(w, all[i], nil)
	}
}

// events writes events until the client leaves or the node ends.
func (h *handler) events(w http.ResponseWriter, r *http.Request) {
	pattern := eventbus.Pattern{System: wildcard(r.FormValue("system")), Kind: wildcard(r.FormValue("kind"))}
	events := make(chan eventbus.Event)
	sub, err := h.Bus.SubscribeChan(r.Context(), pattern, events, eventbus.Bounded(eventBuffer, eventbus.DropOldest))
	if err != nil {
		answer(w, nil, err)
		return
	}
	defer sub.Close()
	w.Header().Set("Content-Type", "application/x-ndjson")
	flush := http.NewResponseController(w)
	if flush.Flush() != nil {
		return
	}
	out := json.NewEncoder(w)
	told := uint64(0)
	for {
		select {
		case <-r.Context().Done():
			return
		case <-sub.Done():
			return
		case e := <-events:
			dropped := sub.Dropped()
			if out.Encode(Event{At: time.Now(), System: e.System, Kind: e.Kind, Path: e.Path, Data: render(e.Data), Dropped: dropped - told}) != nil {
				return
			}
			told = dropped
			if flush.Flush() != nil {
				return
			}
		}
	}
}

// wildcard is the pattern for a field, everything when it is empty.
func wildcard(pattern string) string {
	if pattern == "*" {
		return ""
	}
	return pattern
}

// render gives data of any type a form that fits a line.
func render(data any) (out json.RawMessage) {
	if data == nil {
		return nil
	}
	defer func() {
		if recover() != nil { // a value that cannot be printed must not end the view
			out, _ = json.Marshal(fmt.Sprintf("%T", data))
		}
	}()
	if err, ok := data.(error); ok {
		data = err.Error()
	}
	text, err := json.Marshal(data)
	if err != nil { // functions, channels, cycles; printing a cycle would not end either
		text, _ = json.Marshal(fmt.Sprintf("%T", data))
	}
	if len(text) > eventSize {
		text, _ = json.Marshal(string(text[:eventSize]) + "…")
	}
	return text
}
