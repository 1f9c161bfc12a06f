%% SPDX-License-Identifier: Apache-2.0

%% The workloads of the benchmarks in Erlang. A line on standard input is the name of one
%% and its numbers; the answer is a line of numbers, the first of which is in most cases
%% the nanoseconds that the workload took. Everything that only sets a workload up is
%% outside of the time, as it is in the contestants written in Go.
-module(contest).
-export([main/0, ping_pong/1, ring/2, fan_in/2, fan_out/2, spawn_done/1, spawn_in_turn/1,
         tree/2, timers/3, create/1, ask/0, finish/0, memory/0, processor/0,
         loop/1, probe/1, terminate/0]).

main() ->
    case io:get_line("") of
        eof ->
            halt(0);
        Line ->
            [Name | Args] = string:lexemes(Line, " \n"),
            Numbers = apply(?MODULE, list_to_existing_atom(Name), [list_to_integer(A) || A <- Args]),
            io:format("~s~n", [lists:join($\s, [integer_to_list(N) || N <- Numbers])]),
            main()
    end.

now_ns() -> erlang:monotonic_time(nanosecond).

%% timed runs Work in a process of its own with a fresh heap, as every workload has one
%% in the other contestants, and returns what it took.
timed(Work) ->
    {Pid, Monitor} = spawn_monitor(fun() -> Start = now_ns(), Work(), exit({took, now_ns() - Start}) end),
    receive {'DOWN', Monitor, process, Pid, {took, Nanoseconds}} -> [Nanoseconds] end.

%% Messages

ping_pong(Rounds) ->
    Pong = spawn(fun pong/0),
    Took = timed(fun() -> ping(Pong, Rounds) end),
    exit(Pong, kill),
    Took.

pong() -> receive {ball, From} -> From ! {ball, self()}, pong() end.

ping(_, 0) -> ok;
ping(Pong, N) ->
    Pong ! {ball, self()},
    receive {ball, Pong} -> ping(Pong, N - 1) end.

ring(Size, Laps) ->
    timed_in(fun() ->
        Last = lists:foldl(fun(_, Next) -> spawn_link(fun() -> pass(Next) end) end, self(), lists:seq(2, Size)),
        fun() -> lap(Last, Laps) end
    end).

pass(Next) -> receive ball -> Next ! ball, pass(Next) end.

lap(_, 0) -> ok;
lap(First, N) ->
    First ! ball,
    receive ball -> lap(First, N - 1) end.

fan_in(Senders, Each) ->
    timed_in(fun() ->
        Target = self(),
        Pids = [spawn_link(fun() -> sender(Target, Each) end) || _ <- lists:seq(1, Senders)],
        fun() -> [Pid ! start || Pid <- Pids], count(Senders * Each) end
    end).

sender(Target, Each) -> receive start -> repeat(Each, fun() -> Target ! ball end), sender(Target, Each) end.

count(0) -> ok;
count(N) -> receive ball -> count(N - 1) end.

repeat(0, _) -> ok;
repeat(N, Do) -> Do(), repeat(N - 1, Do).

fan_out(Receivers, Deliveries) ->
    timed_in(fun() ->
        Hub = self(),
        Pids = [spawn_link(fun() -> receiver(Hub, Deliveries) end) || _ <- lists:seq(1, Receivers)],
        fun() ->
            repeat(Deliveries, fun() -> lists:foreach(fun(Pid) -> Pid ! ball end, Pids) end),
            count(Receivers)
        end
    end).

receiver(Hub, Deliveries) -> count(Deliveries), Hub ! ball, receiver(Hub, Deliveries).

%% timed_in is timed for a workload that is set up in the process that then runs it.
%% Processes linked to that one end with it.
timed_in(Setup) ->
    {Pid, Monitor} = spawn_monitor(fun() ->
        Work = Setup(),
        Start = now_ns(),
        Work(),
        exit({took, now_ns() - Start})
    end),
    receive {'DOWN', Monitor, process, Pid, {took, Nanoseconds}} -> [Nanoseconds] end.

%% Spawning

spawn_done(N) ->
    timed(fun() ->
        repeat(N, fun() -> spawn_monitor(fun() -> ok end) end),
        ended(N)
    end).

%% ended takes the news of N ends in the order in which they come.
ended(0) -> ok;
ended(N) -> receive {'DOWN', _, process, _, _} -> ended(N - 1) end.

spawn_in_turn(N) ->
    timed(fun() ->
        repeat(N, fun() ->
            {_, Monitor} = spawn_monitor(fun() -> ok end),
            receive {'DOWN', Monitor, process, _, normal} -> ok end
        end)
    end).

tree(Leaves, Branches) ->
    Expected = Leaves * (Leaves - 1) div 2,
    timed(fun() -> branch(self(), 0, Leaves, Branches), receive {sum, Expected} -> ok end end).

branch(Parent, First, 1, _) ->
    Parent ! {sum, First};
branch(Parent, First, Leaves, Branches) ->
    Self = self(),
    Each = Leaves div Branches,
    [spawn(fun() -> branch(Self, First + I * Each, Each, Branches) end) || I <- lists:seq(0, Branches - 1)],
    Parent ! {sum, sums(Branches, 0)}.

sums(0, Sum) -> Sum;
sums(N, Sum) -> receive {sum, S} -> sums(N - 1, Sum + S) end.

timers(Processes, Firings, Period) ->
    timed_in(fun() ->
        Target = self(),
        Pids = [spawn_link(fun() -> waiter(Target, Firings, Period) end) || _ <- lists:seq(1, Processes)],
        fun() -> [Pid ! start || Pid <- Pids], count(Processes) end
    end).

waiter(Target, Firings, Period) ->
    receive start -> ok end,
    repeat(Firings, fun() -> receive after Period -> ok end end),
    Target ! ball,
    waiter(Target, Firings, Period).

%% Crowds: a process keeps the list, so that collecting its garbage is not in the way of
%% the one that reads lines.

create(N) ->
    Caller = self(),
    register(crowd, spawn(fun() ->
        Self = self(),
        Pids = [spawn(fun() -> Self ! ball, idle() end) || _ <- lists:seq(1, N)],
        count(N),
        erlang:garbage_collect(),
        Caller ! created,
        keep(Pids)
    end)),
    receive created -> [0] end.

idle() ->
    receive
        {ask, From} -> From ! ball, idle();
        finish -> ok
    end.

keep(Pids) ->
    receive
        {ask, Caller} ->
            Self = self(),
            lists:foreach(fun(Pid) -> Pid ! {ask, Self} end, Pids),
            count(length(Pids)),
            Caller ! asked,
            keep(Pids);
        {finish, Caller} ->
            lists:foreach(fun(Pid) -> monitor(process, Pid), Pid ! finish end, Pids),
            ended(length(Pids)),
            Caller ! finished
    end.

ask() -> crowd ! {ask, self()}, receive asked -> [0] end.

finish() ->
    Monitor = monitor(process, crowd),
    crowd ! {finish, self()},
    receive finished -> ok end,
    receive {'DOWN', Monitor, process, _, _} -> [0] end.

memory() -> [erlang:memory(total)].

processor() -> {Milliseconds, _} = statistics(runtime), [Milliseconds * 1000000].

%% Endless loops

loop(Processes) ->
    Caller = self(),
    put(loops, [spawn(fun() -> Caller ! ball, forever() end) || _ <- lists:seq(1, Processes)]),
    count(Processes),
    [0].

forever() -> forever().

probe(N) ->
    Self = self(),
    Last = spawn_link(fun() -> arrive(Self) end),
    First = spawn_link(fun() -> forward(Last) end),
    Latencies = [probe_once(First) || _ <- lists:seq(1, N)],
    [unlink(Pid) || Pid <- [First, Last]],
    [exit(Pid, kill) || Pid <- [First, Last]],
    Latencies.

probe_once(First) ->
    receive after 1 -> ok end,
    Start = now_ns(),
    First ! ball,
    receive {arrived, Time} -> Time - Start end.

forward(To) -> receive ball -> To ! ball, forward(To) end.
arrive(To) -> receive ball -> To ! {arrived, now_ns()}, arrive(To) end.

terminate() ->
    Start = now_ns(),
    [begin monitor(process, Pid), exit(Pid, kill) end || Pid <- get(loops)],
    ended(length(get(loops))),
    [now_ns() - Start].
