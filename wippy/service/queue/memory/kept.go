// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"context"
	"time"

	"github.com/wippyrun/kit/wippy/service/queue"
)

// kept settles an item of a queue on disk.
type kept struct {
	driver *Driver
	line   *line
	item   *item
}

var (
	_ queue.Lazy  = kept{}
	_ queue.Mover = kept{}
)

// Return takes the item back to its place. It never left the disk.
func (k kept) Return(context.Context) error {
	k.line.back(k.item)
	return nil
}

// Ack ends the item; it does not come again, not even when the program is killed.
func (k kept) Ack(ctx context.Context) error {
	return k.line.journal.write(ctx, nil, k.removal(), func(error) { k.line.done(k.item) })
}

// AckLater ends the item at once and has that written behind everything that was asked for
// before. It does not wait.
func (k kept) AckLater(report func(err error)) {
	k.line.journal.submit(nil, change{k.removal(), report})
	k.line.done(k.item)
}

func (k kept) removal() func(s *statements) error {
	row := k.item.row
	return func(s *statements) error {
		_, err := s.remove.Exec(row)
		return err
	}
}

// Retry takes the item back and counts the attempt. It moves to the end of the file too,
// unless others of its key wait behind it.
func (k kept) Retry(ctx context.Context, delay time.Duration) error {
	row, failed, due := k.item.row, k.item.failed+1, int64(0)
	if delay > 0 {
		due = time.Now().Add(delay).UnixMicro()
	}
	next := row
	var number func(int64)
	if k.item.key == "" {
		number = func(n int64) { next = n }
	}
	return k.line.journal.write(ctx, number, func(s *statements) error {
		_, err := s.retry.Exec(next, failed, due, row)
		return err
	}, func(err error) {
		if err == nil {
			k.item.row = next
		}
		k.line.again(k.item, delay)
	})
}

// Move puts m into another queue, in one transaction with the end of the item.
func (k kept) Move(ctx context.Context, to string, m *queue.Message) (bool, error) {
	target, err := k.driver.line(to)
	if err != nil {
		return false, err
	}
	if m, err = k.line.journal.encode(m); err != nil {
		return false, err
	}
	it := &item{m: m, key: m.Partition()}
	insert, err := k.line.journal.insertion(to, it)
	if err != nil {
		return false, err
	}
	remove := k.removal()
	err = k.line.journal.write(ctx, func(row int64) { it.row = row }, func(s *statements) error {
		if err := remove(s); err != nil {
			return err
		}
		return insert(s)
	}, func(err error) {
		if err == nil {
			target.force(it)
			k.line.done(k.item)
		}
	})
	return err == nil, err
}

// forget removes all messages of a queue.
func (j *journal) forget(ctx context.Context, id string) error {
	return j.write(ctx, nil, func(*statements) error {
		_, err := j.db.Exec(`DELETE FROM messages WHERE queue = ?`, id)
		return err
	}, func(error) {})
}
