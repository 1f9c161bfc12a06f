// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/templates"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/template"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// loadTemplates makes template entries live.
func (r *Runtime) loadTemplates() error {
	l := template.NewListener(KeyTemplates.MustGet(r.dict), r.warnFields)
	l.OnBroken(func(e registry.Entry, line int, err error) {
		at := e.Position("data.source")
		if line > 0 {
			at = e.Locate("data.source", line, 0)
		}
		r.mistakes.Warn("template cannot be rendered", "entry", e.ID.String(), "at", at, "error", err)
	})
	return r.listen(l, template.Kinds()...)
}

// templateSets are the sets of a library; what is no set says so.
type templateSets struct {
	*templates.Library
	entries *registry.Registry
}

// TemplateSet implements templates.Sets.
func (s templateSets) TemplateSet(p *engine.Process, id string) (*templates.Set, error) {
	set, err := s.Library.TemplateSet(p, id)
	if err != nil {
		if e, unknown := s.entries.Get(registry.ParseID(id)); unknown == nil {
			return nil, fault.New(fault.Internal, "resource is not a template set: "+id+" is a "+e.Kind)
		}
	}
	return set, err
}
