// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/security"
	authority "github.com/wippyrun/kit/wippy/system/security"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// loadSecurity makes policies live.
func (r *Runtime) loadSecurity() error {
	return r.listen(security.NewPolicyListener(KeyPolicies.MustGet(r.dict), busPublisher{r.bus}, r.warnFields), security.PolicyKinds()...)
}

// serviceContext gives a run of a service the actor and the scope of its lifecycle. They are looked up when it starts:
// by then all policies of the transaction are there.
func (r *Runtime) serviceContext(ctx context.Context, id string, lc supervisor.Lifecycle) context.Context {
	var (
		actor *authority.Actor
		scope *authority.Scope
	)
	if a := lc.Security.Actor; a != nil {
		actor = &authority.Actor{ID: a.ID, Meta: a.Meta}
	}
	if s := lc.Security; len(s.Policies)+len(s.Groups) > 0 {
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

// resolved makes bare names ids of the namespace of id.
func resolved(id registry.ID, names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = id.Resolve(name).String()
	}
	return out
}
