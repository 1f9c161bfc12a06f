// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"path/filepath"
	"time"

	"github.com/wippyrun/kit/loader"
	"github.com/wippyrun/kit/wippy/service/control"
	"github.com/wippyrun/kit/wippy/system/inspect"
)

// controlComponent serves those who look at the node. An application runs as well without, so that a socket that cannot
// be made is only logged.
func (r *Runtime) controlComponent(dependsOn ...string) loader.Component {
	var server *control.Server
	return loader.Component{
		Name:      Control,
		DependsOn: dependsOn,
		Start: func(context.Context) error {
			if !r.options.Control || !r.config.Bool("control", "enabled", true) {
				return nil
			}
			log := r.log.With("logger", "control")
			dir, err := filepath.Abs(r.options.Dir)
			if err == nil {
				server, err = control.Listen(control.Dir(), control.Node{
					Inspector: &inspect.Inspector{
						Node:       KeyNode.MustGet(r.dict),
						Calls:      KeyCalls.MustGet(r.dict),
						Topology:   KeyTopology.MustGet(r.dict),
						Supervisor: KeySupervisor.MustGet(r.dict),
						Dir:        dir,
						Version:    r.options.Version,
						Started:    time.Now(),
					},
					Bus: r.bus,
					Log: log,
				})
			}
			if err != nil {
				log.Warn("nobody can look at this node with wippy ps, top, services and events", "error", err)
				return nil
			}
			log.Debug("listening", "socket", server.Path())
			return nil
		},
		Stop: func(context.Context) error {
			if server == nil {
				return nil
			}
			return server.Close()
		},
	}
}
