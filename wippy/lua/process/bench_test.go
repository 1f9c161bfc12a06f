// SPDX-License-Identifier: Apache-2.0

package process_test

import "testing"

// BenchmarkPingPong measures a message there and back between two processes.
func BenchmarkPingPong(b *testing.B) {
	s := newSystem(b)
	b.ReportAllocs()
	if _, err := s.Run(`
		local echo = process.spawn("app:echo", "app:processes")
		local inbox = process.inbox()
		for i = 1, (...) do
			process.send(echo, "ball", i)
			inbox:receive()
		end`, b.N); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkSpawn measures starting a process that stays.
func BenchmarkSpawn(b *testing.B) {
	s := newSystem(b)
	b.ReportAllocs()
	if _, err := s.Run(`for i = 1, (...) do process.spawn("app:stubborn", "app:processes") end`, b.N); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkExec measures starting a process and getting its result.
func BenchmarkExec(b *testing.B) {
	s := newSystem(b)
	b.ReportAllocs()
	if _, err := s.Run(`for i = 1, (...) do process.exec("app:seven", "app:processes") end`, b.N); err != nil {
		b.Fatal(err)
	}
}
