// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"github.com/wippyrun/kit/luart/engine"
	luaqueue "github.com/wippyrun/kit/wippy/lua/queue"
	"github.com/wippyrun/kit/wippy/service/queue"
	"github.com/wippyrun/kit/wippy/service/queue/amqp"
	"github.com/wippyrun/kit/wippy/service/queue/memory"
)

// loadQueues makes drivers, queues and consumers live. Messages are kept in the forms the
// engine has taught the transcoder.
func (r *Runtime) loadQueues() error {
	log, transcoder := r.log.With("logger", "queue"), KeyTranscoder.MustGet(r.dict)
	l := queue.NewListener(queue.Deps{
		Queues:     KeyQueues.MustGet(r.dict),
		Functions:  KeyFunctions.MustGet(r.dict),
		Supervisor: KeySupervisor.MustGet(r.dict),
		Log:        log,
		Warn:       r.warnFields,
		Drivers:    []queue.Kind{memory.Kind(r.options.Dir, transcoder), amqp.Kind(transcoder, log)},
	})
	return r.listen(l, l.Kinds()...)
}

// queueModule is the Lua module of the queues.
func (r *Runtime) queueModule() engine.Module {
	queues := queue.New()
	KeyQueues.Set(r.dict, queues)
	luaqueue.Register(r.dispatcher())
	return luaqueue.Module(queues, r.allow)
}
