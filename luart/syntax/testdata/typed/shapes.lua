-- Every form of the type syntax, in a program that runs.
type ID = string @min_len(1) @pattern("^[a-z]+$")
type Shape = "circle" | "square" | 3 | true | nil
type Point = { x: number, y: number, label?: string, note: string? @min_len(2), }
type Points = {Point}
type Grid = number[][]
type Index = {[string]: Points}
type Pair<A, B: Point> = { first: A, second: B }
type Handler = (event: string, payload: {[string]: any}, ...any) -> (boolean, string?)
type Maker = ((number) -> Point)?
type Old = fun(a: number, b: string?)
type Sound = fun(name: string): boolean
type Keys = keyof(Point)
type First = Point["x"]
type Cond = Point extends Shape ? string : number?
type Frozen = readonly {Point}
type Words = { type: string, is: boolean, as: number, typeof: any, fun: nil }
interface Animal
  function name(self: Animal): string
  function speak(self: Animal, loud: boolean): (string, number)
end
interface Dog: Animal, Words
  function fetch(self: Dog)
end

local origin: Point = { x = 0, y = 0, note = "ok" }
local m: Map<string, Array<number>> = {}
local a: integer, b: string?, c = 1, nil, "c"

local function generic<T, U: Point>(value: T, other: U, ...: string): (T, U)
  return value, other
end
local function many(): string, number return "a", 1 end
local function none(): () end
local higher = function<T>(f: (T) -> T, x: T): ((T) -> T) return f end

local n = (origin.x :: number) + (origin :: any).y as number
local s = tostring(n)!
local t = { many() as string, many()! }
local sub: typeof(origin) = origin
function origin.is(v: any): boolean return v ~= nil end
function origin:as(): Point return self end
print(#t, s, origin.is(1), origin:as().x, many(), generic(1, origin, "x"))
print(7 // 2, a // 2, 6 & 3 | 8 ~ 1, 1 << 4 >> 2, ~0, 2 ^ 2 as number)
