// Package mailbox measures the sharded worker pool beside one buffered channel and
// goroutine per shard.
package mailbox
