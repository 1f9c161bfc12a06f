// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"errors"
	"net/http"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/loader"
	"github.com/wippyrun/kit/luart/engine"
	luahttpclient "github.com/wippyrun/kit/wippy/lua/httpclient"
	luawebsocket "github.com/wippyrun/kit/wippy/lua/websocket"
	"github.com/wippyrun/kit/wippy/service/http/session"
	servicenetwork "github.com/wippyrun/kit/wippy/service/network"
	"github.com/wippyrun/kit/wippy/system/network"
)

// registerWeb adds the modules that reach other servers, directly or through the networks that entries define.
func (r *Runtime) registerWeb(e *engine.Engine) error {
	client := luahttpclient.NewClient()
	KeyHTTPClient.Set(r.dict, client)
	networks := network.New(r.config.String("network_service", "default_network", ""))
	KeyNetworks.Set(r.dict, networks)
	luahttpclient.Register(r.dispatcher())
	return errors.Join(
		e.Register(luahttpclient.Module(luahttpclient.Deps{Client: client, Allow: r.allow, Gate: r.gate, Networks: networks,
			Trace: func(f *appctx.Frame, h http.Header) { r.tracing.Outgoing(f, h) }})), // which is set later than this
		e.Register(luawebsocket.Module(luawebsocket.Deps{Send: r.router.Send, Allow: r.allow, Networks: networks})),
	)
}

// webComponent makes entries of networks live, and closes the connections of programs to HTTP servers at the end.
func (r *Runtime) webComponent(dependsOn ...string) loader.Component {
	return loader.Component{
		Name:      Web,
		DependsOn: dependsOn,
		Load: func(ctx context.Context) (context.Context, error) {
			networks := KeyNetworks.MustGet(r.dict)
			return ctx, errors.Join(
				r.listen(servicenetwork.NewListener(networks, r.warnFields), servicenetwork.KindSOCKS5),
				KeyFunctions.MustGet(r.dict).Intercept(networks.Calls()),
			)
		},
		Stop: func(context.Context) error {
			KeyHTTPClient.MustGet(r.dict).Close()
			return nil
		},
	}
}

// sessionRuntime is what the sessions of HTTP clients see of the system.
func (r *Runtime) sessionRuntime() session.Runtime {
	return session.Runtime{
		Node:       KeyNode.MustGet(r.dict),
		Topology:   KeyRemote.MustGet(r.dict),
		Send:       r.router.Send,
		Next:       KeyPIDs.MustGet(r.dict).Next,
		Transcoder: KeyTranscoder.MustGet(r.dict),
		Log:        r.log.With("logger", "http"),
	}
}
