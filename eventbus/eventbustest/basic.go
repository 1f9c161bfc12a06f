// SPDX-License-Identifier: Apache-2.0

package eventbustest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
)

func deliversWhatMatches(r *run) error {
	var box inbox
	if _, err := r.subscribe(exact, box.add); err != nil {
		return err
	}
	for _, topic := range [][2]string{{"s", "x"}, {"x", "k"}, {"", ""}, {"s.k", ""}, {"s", "k.k"}, {"s", ""}, {"s", "K"}} {
		r.bus.Publish(event(topic[0], topic[1], "foreign"))
	}
	r.publish("1")
	r.bus.Publish(event("s", "x", "foreign"))
	r.publish("2")
	return box.expect(r, "1", "2")
}

func deliversToEverySubscriber(r *run) error {
	boxes, _, err := r.inboxes(20)
	if err != nil {
		return err
	}
	paths := numbered(50)
	r.publish(paths...)
	var errs []error
	for i, box := range boxes {
		if err := box.expect(r, paths...); err != nil {
			errs = append(errs, fmt.Errorf("subscriber %d: %w", i, err))
		}
	}
	return errors.Join(errs...)
}

func keepsTheOrderOfAPublisher(r *run) error {
	const publishers, each = 4, 500
	boxes, _, err := r.inboxes(3)
	if err != nil {
		return err
	}
	concurrently(publishers, func(p int) {
		for i := range each {
			r.publish(fmt.Sprintf("%d/%d", p, i))
		}
	})
	r.publish("last")
	for _, box := range boxes {
		paths, err := box.until(r, "last")
		if err != nil {
			return err
		}
		next := make(map[string]int)
		for _, path := range paths[:len(paths)-1] {
			p, _, _ := strings.Cut(path, "/")
			if want := fmt.Sprintf("%s/%d", p, next[p]); path != want {
				return fmt.Errorf("got %s, want %s", path, want)
			}
			next[p]++
		}
		if len(paths) != publishers*each+1 {
			return fmt.Errorf("got %d events, want %d", len(paths), publishers*each+1)
		}
	}
	return nil
}

func subscribesAtOnce(r *run) error {
	early, _, err := r.inboxes(1)
	if err != nil {
		return err
	}
	for i := range 100 {
		r.publish(fmt.Sprint("before", i))
		var late inbox
		s, err := r.subscribe(exact, late.add)
		if err != nil {
			return err
		}
		after := fmt.Sprint("after", i)
		r.publish(after)
		if err := late.expect(r, after); err != nil {
			return err
		}
		s.Close()
	}
	_, err = early[0].until(r, "after99")
	return err
}

func closeEndsDelivery(r *run) error {
	boxes, subs, err := r.inboxes(2)
	if err != nil {
		return err
	}
	r.publish("1")
	if _, err := boxes[0].until(r, "1"); err != nil {
		return err
	}
	subs[0].Close()
	subs[0].Close() // twice does nothing
	if err := r.wait(subs[0].Done(), "Done of a closed subscription"); err != nil {
		return err
	}
	r.publish("2")
	if err := boxes[1].expect(r, "1", "2"); err != nil {
		return err
	}
	return boxes[0].expect(r, "1")
}

func closeLeavesOthersAlone(r *run) error {
	boxes, subs, err := r.inboxes(10)
	if err != nil {
		return err
	}
	for i := range subs {
		r.publish(fmt.Sprint(i))
		if i%2 == 0 {
			subs[i].Close()
		}
	}
	for i := 1; i < len(subs); i += 2 {
		if err := boxes[i].expect(r, numbered(len(subs))...); err != nil {
			return fmt.Errorf("subscriber %d: %w", i, err)
		}
	}
	return nil
}

// concurrently calls f with 0 to n-1, each on a goroutine of its own.
func concurrently(n int, f func(int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}
