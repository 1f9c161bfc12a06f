// SPDX-License-Identifier: Apache-2.0

// Package topology knows which processes live, who watches whom, and what they are called.
//
// # Basics
//
// A host registers every process before its first step and completes it after its last one; in between
// anybody may watch it:
//
//	topo := topology.New(router.Send)
//	topo.Register(pid)
//	topo.Monitor(watcher, pid)           // one way, fires once
//	topo.Link(a, b)                      // both ways, fires on failure
//	topo.RegisterName("accounts", pid)
//	topo.Complete(pid, topology.Result{Err: err})
//
// What watchers learn arrives as a message on the topic [TopicEvents] whose only payload is an [*Event] in
// the format payload.Go. Go code that waits for a process uses [Topology.Watch] and gets a call instead.
//
// # Guarantees
//
//   - Links are symmetric at every instant somebody can observe (TestModel).
//   - A monitor fires exactly once, however the process ends; a link fires only when the process failed
//     (TestModel, TestEveryMonitorFiresOnceConcurrentSafe).
//   - When the first event of an ending is sent, the names of the process are free and nothing refers to
//     it any more: whoever reacts to an event may take over its name (TestNamesAreFreeBeforeEventsAreSent).
//   - Exit events are sent before link-down events.
//   - A watcher that cannot be reached does not keep the others from being told (TestUnreachableWatcherIsSkipped).
//   - [Topology.LookupName] takes no lock and allocates nothing (TestLookupAllocatesNothing).
//
// # Costs
//
// A process nobody watches costs one map entry, about 50 bytes; the sets of edges exist only while they
// have members. All state is split over 32 shards by process id, so unrelated processes seldom meet on a
// lock. No lock is held while messages are sent or functions are called.
package topology
