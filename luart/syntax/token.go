// SPDX-License-Identifier: Apache-2.0

package syntax

// kind is the lexical class of a token. Keywords and operators have one kind each, so that the parser compares bytes.
type kind uint8

const (
	kEOF kind = iota
	kName
	kNumber
	kString
	kLabel // ::name:: on one line

	// Reserved words of Lua.
	kAnd
	kBreak
	kDo
	kElse
	kElseif
	kEnd
	kFalse
	kFor
	kFunction
	kGoto
	kIf
	kIn
	kLocal
	kNil
	kNot
	kOr
	kRepeat
	kReturn
	kThen
	kTrue
	kUntil
	kWhile

	// Reserved words of the type syntax: they stay usable as field, method and key names.
	kAs
	kAsserts
	kExtends
	kFun
	kInterface
	kIs
	kKeyof
	kReadonly
	kTypeof

	// Operators and punctuation.
	kPlus
	kMinus
	kStar
	kSlash
	kDoubleSlash
	kPercent
	kCaret
	kHash
	kAmp
	kPipe
	kTilde
	kShl
	kShr
	kConcat
	kEllipsis
	kEq
	kNe
	kLe
	kGe
	kLt
	kGt
	kAssign
	kLparen
	kRparen
	kLbrace
	kRbrace
	kLbracket
	kRbracket
	kSemicolon
	kColon
	kDoubleColon
	kComma
	kDot
	kArrow
	kQuestion
	kQuestionColon
	kBang
	kAt

	kindCount
)

var kindText = [kindCount]string{
	kEOF: "end of input", kName: "name", kNumber: "number", kString: "string", kLabel: "label",
	kAnd: "and", kBreak: "break", kDo: "do", kElse: "else", kElseif: "elseif", kEnd: "end", kFalse: "false",
	kFor: "for", kFunction: "function", kGoto: "goto", kIf: "if", kIn: "in", kLocal: "local", kNil: "nil",
	kNot: "not", kOr: "or", kRepeat: "repeat", kReturn: "return", kThen: "then", kTrue: "true",
	kUntil: "until", kWhile: "while",
	kAs: "as", kAsserts: "asserts", kExtends: "extends", kFun: "fun", kInterface: "interface", kIs: "is",
	kKeyof: "keyof", kReadonly: "readonly", kTypeof: "typeof",
	kPlus: "+", kMinus: "-", kStar: "*", kSlash: "/", kDoubleSlash: "//", kPercent: "%", kCaret: "^", kHash: "#",
	kAmp: "&", kPipe: "|", kTilde: "~", kShl: "<<", kShr: ">>", kConcat: "..", kEllipsis: "...",
	kEq: "==", kNe: "~=", kLe: "<=", kGe: ">=", kLt: "<", kGt: ">", kAssign: "=",
	kLparen: "(", kRparen: ")", kLbrace: "{", kRbrace: "}", kLbracket: "[", kRbracket: "]",
	kSemicolon: ";", kColon: ":", kDoubleColon: "::", kComma: ",", kDot: ".", kArrow: "->",
	kQuestion: "?", kQuestionColon: "?:", kBang: "!", kAt: "@",
}

// isTypeWord reports whether k is a word reserved for types only.
func (k kind) isTypeWord() bool { return k >= kAs && k <= kTypeof }

// endsBlock reports whether k can only follow the last statement of a block.
func (k kind) endsBlock() bool {
	return k == kEnd || k == kEOF || k == kElse || k == kElseif || k == kUntil
}

// token is one lexical element. text is the name, the decoded string or the canonical number, and a piece of the
// source wherever that is possible.
type token struct {
	text string
	pos  int // offset of the first byte
	end  int // offset after the last byte
	line int // line of the first byte, from 1
	bol  int // offset of the beginning of that line
	kind kind
}

// wordKind classifies an identifier.
func wordKind(s string) kind {
	if len(s) < 2 || len(s) > 9 || s[0] < 'a' {
		return kName
	}
	switch s {
	case "and":
		return kAnd
	case "as":
		return kAs
	case "asserts":
		return kAsserts
	case "break":
		return kBreak
	case "do":
		return kDo
	case "else":
		return kElse
	case "elseif":
		return kElseif
	case "end":
		return kEnd
	case "extends":
		return kExtends
	case "false":
		return kFalse
	case "for":
		return kFor
	case "fun":
		return kFun
	case "function":
		return kFunction
	case "goto":
		return kGoto
	case "if":
		return kIf
	case "in":
		return kIn
	case "interface":
		return kInterface
	case "is":
		return kIs
	case "keyof":
		return kKeyof
	case "local":
		return kLocal
	case "nil":
		return kNil
	case "not":
		return kNot
	case "or":
		return kOr
	case "readonly":
		return kReadonly
	case "repeat":
		return kRepeat
	case "return":
		return kReturn
	case "then":
		return kThen
	case "true":
		return kTrue
	case "typeof":
		return kTypeof
	case "until":
		return kUntil
	case "while":
		return kWhile
	}
	return kName
}
