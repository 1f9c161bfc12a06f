// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/boot/config"
	luasecurity "github.com/wippyrun/kit/wippy/lua/security"
	"github.com/wippyrun/kit/wippy/service/security"
	"github.com/wippyrun/kit/wippy/service/store"
	"github.com/wippyrun/kit/wippy/system/fault"
	authority "github.com/wippyrun/kit/wippy/system/security"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// newGate reads the section security. A mode that cannot be understood is an error: the default would be the one that
// allows more. warn hears of keys that nobody knows.
func newGate(c *config.Config, log *slog.Logger, warn func(string)) (*authority.Gate, error) {
	at := func(key string) string {
		if place := c.Position("security", key); place != "" {
			return place + ": "
		}
		return ""
	}
	all := c.Section("security")
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if key != "strict_mode" {
			warn(at(key) + "unknown key security." + key + ", the only one is strict_mode")
		}
	}
	switch v := all["strict_mode"]; v {
	case true, "true":
		return authority.NewGate(true, refusals(log)), nil
	case false, "false", nil:
		return authority.NewGate(false, refusals(log)), nil
	default:
		return nil, fault.New(fault.Invalid, at("strict_mode")+"security.strict_mode must be true or false, not "+fmt.Sprint(v))
	}
}

// refusals logs why something is not allowed, for those who write policies.
func refusals(log *slog.Logger) authority.Option {
	return authority.WithRefusals(func(r authority.Refusal) {
		if !log.Enabled(context.Background(), slog.LevelDebug) {
			return
		}
		args := []any{"action", r.Action, "resource", r.Resource}
		if r.Actor != nil {
			args = append(args, "actor", r.Actor.ID)
		}
		switch {
		case r.Incomplete:
			args = append(args, "because", "it has no actor or no scope")
		case r.Policy != "":
			args = append(args, "because", "a policy denies it", "policy", r.Policy)
		default:
			args = append(args, "because", "no policy of the scope allows it")
		}
		log.Debug("not allowed", args...)
	})
}

// loadSecurity makes policies and token stores live.
func (r *Runtime) loadSecurity() error {
	directory := KeyPolicies.MustGet(r.dict)
	tokens := security.NewTokens(directory, r.tokenBacking, r.warnFields)
	KeyTokens.Set(r.dict, tokens)
	return errors.Join(
		r.listen(security.NewPolicyListener(directory, busPublisher{r.bus}, r.warnFields), security.PolicyKinds()...),
		r.listen(tokens, security.KindTokenStore),
	)
}

// securityModule is the Lua module of actors, scopes and tokens.
func (r *Runtime) securityModule() engine.Module {
	luasecurity.Register(r.dispatcher())
	return luasecurity.Module(luasecurity.Deps{
		Directory: KeyPolicies.MustGet(r.dict),
		Tokens:    KeyTokens.MustGet(r.dict),
		Allow:     r.allow,
	})
}

// tokenBacking finds the key-value store that a token store keeps its tokens in.
func (r *Runtime) tokenBacking(id string) (security.Backing, error) {
	s, err := KeyStores.MustGet(r.dict).Get(id)
	if err == nil {
		return tokenBacking{s, KeyTranscoder.MustGet(r.dict)}, nil
	}
	e, known := KeyRegistry.MustGet(r.dict).Snapshot().Get(registry.ParseID(id))
	if known && !strings.HasPrefix(e.Kind, "store.") {
		return nil, security.ErrNotAStore.With("store", id)
	}
	return nil, security.ErrBackingStore.Because(err)
}

// tokenBacking keeps the records of tokens in a key-value store, as JSON.
type tokenBacking struct {
	store.Store
	transcoder *payload.Transcoder
}

// Get implements security.Backing.
func (b tokenBacking) Get(ctx context.Context, key string) ([]byte, error) {
	e, err := b.Store.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	p, err := b.transcoder.Transcode(e.Value, payload.JSON)
	if err != nil {
		return nil, err
	}
	if text, ok := p.Data.(string); ok {
		return []byte(text), nil
	}
	text, _ := p.Data.([]byte)
	return text, nil
}

// Put implements security.Backing.
func (b tokenBacking) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	_, err := b.Store.Put(ctx, key, payload.Payload{Format: payload.JSON, Data: value}, store.PutOptions{TTL: ttl})
	return err
}

// serviceContext gives a run of a service the actor and the scope of its lifecycle. They are looked up when it starts:
// by then all policies of the transaction are there.
func (r *Runtime) serviceContext(ctx context.Context, id string, lc supervisor.Lifecycle) context.Context {
	var (
		actor *authority.Actor
		scope *authority.Scope
	)
	s := r.securityOf(id, lc)
	if a := s.Actor; a != nil {
		actor = &authority.Actor{ID: a.ID, Meta: a.Meta}
	}
	if len(s.Policies)+len(s.Groups) > 0 {
		own := registry.ParseID(id)
		all := KeyPolicies.MustGet(r.dict).Scope(resolved(own, s.Policies), resolved(own, s.Groups), func(err error) {
			r.log.Warn("the scope of a service lacks a part", "service", id, "error", err)
		})
		if len(all.Policies()) > 0 {
			scope = all
		}
	}
	if actor == nil && scope == nil {
		return ctx
	}
	frame := appctx.NewFrame()
	if err := authority.Enter(frame, actor, scope); err != nil {
		r.log.Error("a service has no actor", "service", id, "error", err) // cannot be: the frame is new
	}
	return appctx.WithFrame(ctx, frame)
}

// securityOf returns on whose behalf a service works: as its entry says now, which may have changed since the service was
// registered.
func (r *Runtime) securityOf(id string, lc supervisor.Lifecycle) supervisor.Security {
	e, ok := KeyRegistry.MustGet(r.dict).Snapshot().Get(registry.ParseID(id))
	if !ok {
		return lc.Security
	}
	e = (&expanding{vars: r.variable}).before(e)
	data, _ := e.Data.(map[string]any)
	current, err := supervisor.ParseLifecycle(data["lifecycle"])
	if err != nil {
		return lc.Security // a variable of it has gone
	}
	return current.Security
}

// resolved makes bare names ids of the namespace of id.
func resolved(id registry.ID, names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = id.Resolve(name).String()
	}
	return out
}
