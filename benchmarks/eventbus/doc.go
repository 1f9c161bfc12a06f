// SPDX-License-Identifier: Apache-2.0

// Package eventbus measures the event bus beside a fan-out over channels, kelindar/event,
// watermill's in-process Pub/Sub and, for matching alone, the sublist of the NATS server.
package eventbus
