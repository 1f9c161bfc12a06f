// SPDX-License-Identifier: Apache-2.0

package eventbus_test

import (
	"fmt"
	"reflect"
	"testing"
	"unsafe"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats-server/v2/server/gsl"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
)

// sublist is one of the indexes of the NATS server.
type sublist interface {
	insert(subject string) error
	remove(subject string) error
	match(subject string) (found bool)
}

// matchNATS is matchOurs for an index alone: nothing is queued and nobody is called.
func matchNATS(b *testing.B, list sublist, topics, churn int) {
	insert := func(subject string) {
		if err := list.insert(subject); err != nil {
			b.Fatal(err)
		}
	}
	for i := range others {
		switch i % 4 { // as foreign
		case 0:
			insert(fmt.Sprintf("process.other.%d.>", i))
		case 1:
			insert(fmt.Sprintf("*.process.started.%d", i))
		case 2:
			insert(fmt.Sprintf("*.*.x%d", i))
		default:
			insert(fmt.Sprintf("process.*.*.a%d", i))
		}
	}
	insert("process.kind.*")
	subjects, passing := make([]string, topics), make([]string, topics)
	for i := range subjects {
		subjects[i] = fmt.Sprintf("process.kind.%d", i)
		passing[i] = fmt.Sprintf("x.kind.%d", i)
	}
	next := 0
	measure.Items(b, batch, func() {
		for i := range batch {
			if churn > 0 && i%churn == 0 {
				insert(passing[next%topics])
				if err := list.remove(passing[next%topics]); err != nil {
					b.Fatal(err)
				}
			}
			if !list.match(subjects[next%topics]) {
				b.Fatalf("nothing matches %s", subjects[next%topics])
			}
			next++
		}
	})
}

// generic is the sublist for others to use, which has no cache.
type generic struct{ *gsl.GenericSublist[int] }

func newGeneric() sublist { return generic{gsl.NewSublist[int]()} }

func (g generic) insert(subject string) error { return g.Insert(subject, 0) }
func (g generic) remove(subject string) error { return g.Remove(subject, 0) }

func (g generic) match(subject string) (found bool) {
	g.Match(subject, func(int) { found = true })
	return found
}

// cached is the sublist that the server itself uses, with a cache of 1024 subjects. It
// takes subscriptions of a type that has no name outside, hence the reflection, which is
// paid for when inserting and removing only.
type cached struct {
	*server.Sublist
	insertion, removal reflect.Value
	subs               map[string]reflect.Value
}

func newCached() sublist {
	s := server.NewSublistWithCache()
	v := reflect.ValueOf(s)
	return cached{s, v.MethodByName("Insert"), v.MethodByName("Remove"), make(map[string]reflect.Value)}
}

func (c cached) insert(subject string) error {
	sub := reflect.New(c.insertion.Type().In(0).Elem())
	f := sub.Elem().FieldByName("subject")
	reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem().SetBytes([]byte(subject))
	c.subs[subject] = sub
	return call(c.insertion, sub)
}

func (c cached) remove(subject string) error {
	sub := c.subs[subject]
	delete(c.subs, subject)
	return call(c.removal, sub)
}

// nothing is what Match returns where there is no subscription: its fields are private,
// but the empty result is one for all.
var nothing = server.NewSublistWithCache().Match("x")

func (c cached) match(subject string) bool {
	return c.Match(subject) != nothing
}

func call(f, sub reflect.Value) error {
	err, _ := f.Call([]reflect.Value{sub})[0].Interface().(error)
	return err
}
