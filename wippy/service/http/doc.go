// SPDX-License-Identifier: Apache-2.0

// Package http serves HTTP from functions: servers, routers, endpoints and mounts of files are
// entries, and what a server answers follows them while it runs.
//
// # Basics
//
// A Listener takes the entries from the registry. Each transaction makes a new routing table for
// each server that it concerns; requests under way keep the one they began with. A request that is
// matched becomes an exchange (package exchange) in the frame of one call of the endpoint's
// function, and the goroutine of its connection writes what the function answers.
//
// Two fields of an http.service are for those who run it: access_log writes a record for each
// request, and dev shows a browser what failed, with the traceback. Each request has an id,
// X-Request-Id, which a proxy may have given it.
//
// The certificate of a server is in its entry (tls.mode manual), or comes from a certificate authority (tls.mode
// auto with tls.acme, package certs).
//
// # Guarantees
//
//   - Routes, time limits and certificates change without losing a request or a connection
//     (TestLiveUpdatesUnderLoad, TestLimitsReachOpenConnections, TestCertificateChangesWhileServing);
//     a change that does not fit changes nothing (TestRejectedEntries).
//   - An authority's certificates are there when the first client comes, outlive the server, and follow its entry
//     (TestCertificatesOfAnAuthority, TestCertificatesByHTTP).
//   - Clients that take or send slowly, or not at all, hold up their own request only
//     (TestSlowClientsBlockNobody, TestSlowBodyTimesOut, TestBodyThatNobodyReads, TestSlowHeader).
//   - A client that leaves ends the call that works for it (TestClientThatLeavesEndsTheCall, TestHTTP2).
//   - A call that fails in the middle of its answer cuts the connection: no client takes half for
//     all (TestErrorAfterOutputCutsTheConnection).
//   - A panic is one answer with status 500, or the end of one connection (TestPanicIsContained).
//   - Stopping finishes the requests under way, within the time there is (TestStopDrains).
//
// # Costs
//
// An idle connection costs about 20 KB (TestManyIdleConnections). A request of a Lua function costs
// less than twice what net/http alone needs for it: see benchmarks/http/compare, which also says what
// for, and TestRequestAllocations. One that streams to
// a client that takes nothing keeps exchange.Window bytes.
//
// # Limits
//
// What clients may do by default: 30 seconds and 1 MiB for a header, two minutes of silence on a
// connection, 100 streams at a time on one of HTTP/2. There is no limit for the time of a body or of
// an answer unless the entry sets one; functions have their own for bodies.
package http
