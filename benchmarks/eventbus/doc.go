// Package eventbus measures the event bus beside a fan-out over channels and
// beside watermill's in-process Pub/Sub.
package eventbus
