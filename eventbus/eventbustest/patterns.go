// SPDX-License-Identifier: Apache-2.0

package eventbustest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wippyrun/kit/eventbus"
)

var topics = [][2]string{
	{"registry", "entry.create"}, {"registry", "registry.begin"}, {"registry", "entry"},
	{"process", "process.started"}, {"a.b", "c"}, {"registry", "entry.a.b"},
}

// interests are patterns with the indexes of the topics that they match, and one more
// topic that they match.
var interests = []struct {
	pattern eventbus.Pattern
	topics  []string
	last    [2]string
}{
	{eventbus.Pattern{}, []string{"0", "1", "2", "3", "4", "5"}, [2]string{"", ""}},
	{eventbus.Pattern{System: "**", Kind: "**"}, []string{"0", "1", "2", "3", "4", "5"}, [2]string{"", ""}},
	{eventbus.Pattern{System: "registry"}, []string{"0", "1", "2", "5"}, [2]string{"registry", ""}},
	{eventbus.Pattern{System: "*"}, []string{"0", "1", "2", "3", "5"}, [2]string{"x", "x.x.x"}},
	{eventbus.Pattern{System: "registry", Kind: "entry.*"}, []string{"0"}, [2]string{"registry", "entry.x"}},
	{eventbus.Pattern{System: "registry", Kind: "entry.**"}, []string{"0", "2", "5"}, [2]string{"registry", "entry.x.x.x"}},
	{eventbus.Pattern{System: "registry", Kind: "(entry|registry).*"}, []string{"0", "1"}, [2]string{"registry", "registry.x"}},
	{eventbus.Pattern{System: "(registry|process)", Kind: "*.*"}, []string{"0", "1", "3"}, [2]string{"process", "x.x"}},
	{eventbus.Pattern{System: "**.b", Kind: "*"}, []string{"4"}, [2]string{"b", "x"}},
	{eventbus.Pattern{System: "registry.entry", Kind: "create"}, nil, [2]string{"registry.entry", "create"}},
	{eventbus.Pattern{System: "reg*"}, nil, [2]string{"reg*", "x"}},
}

func matchesWildcards(r *run) error {
	boxes := make([]inbox, len(interests))
	for i, in := range interests {
		if _, err := r.subscribe(in.pattern, boxes[i].add); err != nil {
			return err
		}
	}
	for i, topic := range topics {
		r.bus.Publish(event(topic[0], topic[1], fmt.Sprint(i)))
	}
	var errs []error
	for i, in := range interests {
		last := fmt.Sprint("last ", i)
		r.bus.Publish(event(in.last[0], in.last[1], last))
		got, err := boxes[i].until(r, last)
		if err != nil {
			errs = append(errs, fmt.Errorf("%v does not match %q: %w", in.pattern, in.last, err))
		}
		got = slices.DeleteFunc(got, func(path string) bool { return strings.HasPrefix(path, "last") })
		if !slices.Equal(got, in.topics) {
			errs = append(errs, fmt.Errorf("%v matches %v of %q, want %v", in.pattern, got, topics, in.topics))
		}
	}
	return errors.Join(errs...)
}
