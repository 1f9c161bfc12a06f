// SPDX-License-Identifier: Apache-2.0

package crypto

import (
	"errors"
	"maps"

	"github.com/golang-jwt/jwt/v5"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/modules/internal/call"
	"github.com/wippyrun/kit/luart/modules/internal/host"
)

// headerClaim is the key under which encode finds what belongs into the header of the token.
const headerClaim = "_header"

// defaultAlgorithm signs when no other is asked for.
var defaultAlgorithm = jwt.SigningMethodHS256

// signing returns a signing method by name.
func signing(name string) (jwt.SigningMethod, bool) {
	for _, m := range []jwt.SigningMethod{
		jwt.SigningMethodHS256, jwt.SigningMethodHS384, jwt.SigningMethodHS512, jwt.SigningMethodRS256,
	} {
		if m.Alg() == name {
			return m, true
		}
	}
	return nil, false
}

// encodeToken implements crypto.jwt.encode(claims, key, alg).
func encodeToken(L *lua.LState) int {
	table, key := L.CheckTable(1), L.CheckString(2)
	method, ok := signing(call.Optional(L, 3, defaultAlgorithm.Alg()))
	if !ok {
		method = defaultAlgorithm
	}
	claims, ok, err := host.Map(L, table)
	switch {
	case err != nil:
		return call.Failed(L, "convert payload", err)
	case !ok:
		return call.Invalid(L, "failed to convert payload to map")
	}
	token := jwt.NewWithClaims(method, jwt.MapClaims(claims))
	if header, ok := claims[headerClaim].(map[string]any); ok {
		delete(claims, headerClaim)
		maps.Copy(token.Header, header)
	}

	var secret any = []byte(key)
	if method == jwt.SigningMethodRS256 {
		if secret, err = jwt.ParseRSAPrivateKeyFromPEM([]byte(key)); err != nil {
			return call.Invalid(L, "invalid RSA private key: "+err.Error())
		}
	}
	text, err := token.SignedString(secret)
	if err != nil {
		return call.Failed(L, "sign token", err)
	}
	return call.Value(L, lua.LString(text))
}

// verifyToken implements crypto.jwt.verify(token, key, alg, require_exp).
func verifyToken(L *lua.LState) int {
	text, key := L.CheckString(1), L.CheckString(2)
	name := call.Optional(L, 3, defaultAlgorithm.Alg())
	claims, err := verified(text, key, name, L.Get(4) != lua.LFalse)
	if err != nil {
		return call.Failed(L, "verify token", err)
	}
	v, err := host.Lua(map[string]any(claims))
	if err != nil {
		return call.Failed(L, "verify token", err)
	}
	return call.Value(L, v)
}

// verified returns the claims of a token that is signed with the algorithm and no other, and valid now.
func verified(text, key, algorithm string, requireExp bool) (jwt.MapClaims, error) {
	method, ok := signing(algorithm)
	if !ok {
		return nil, errors.New("token is unverifiable: unsupported algorithm: " + algorithm)
	}
	options := []jwt.ParserOption{jwt.WithValidMethods([]string{algorithm}), jwt.WithJSONNumber()}
	if requireExp {
		options = append(options, jwt.WithExpirationRequired())
	}
	claims := jwt.MapClaims{}
	_, err := jwt.NewParser(options...).ParseWithClaims(text, claims, func(*jwt.Token) (any, error) {
		if method == jwt.SigningMethodRS256 {
			return jwt.ParseRSAPublicKeyFromPEM([]byte(key))
		}
		return []byte(key), nil
	})
	return claims, err
}
