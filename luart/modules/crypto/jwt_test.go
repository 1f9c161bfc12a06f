// SPDX-License-Identifier: Apache-2.0

package crypto_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"testing"

	"github.com/wippyrun/kit/luart/modules/crypto"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

func TestTokens(t *testing.T) {
	check(t, moduletest.New(t, crypto.Module(nil)), map[string]string{
		"example of RFC 7519": `
			local token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6" ..
				"Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
			local key = bytes("0323354b2b0fa5bc837e0665777ba68f5ab328e6f054c928a90f84b2d2502ebf" ..
				"d3fb5a92d20647ef968ab4c377623d223d2e2172052e4f08c0cd9af567d080a3")
			fails("Internal", "token has invalid claims: token is expired", crypto.jwt.verify(token, key))`,
		"claims come back": `
			local claims, err = crypto.jwt.verify(crypto.jwt.encode({
				exp = os.time() + 100, n = 12, f = 1.5, ok = true, list = {1, "b"}, map = {[true] = 1, a = {}},
			}, "k", "HS512"), "k", "HS512")
			assert(err == nil and claims.n == 12 and claims.f == 1.5 and claims.ok == true)
			assert(claims.list[1] == 1 and claims.list[2] == "b" and claims.map["true"] == 1 and next(claims.map.a) == nil)
			assert(math.type(claims.exp) == "integer")`,
		"numbers too large to be exact are text": `
			local token = crypto.jwt.encode({id = 1}, "k")
			-- {"id":9007199254740993}
			local forged = token:match("^[^.]+") .. ".eyJpZCI6OTAwNzE5OTI1NDc0MDk5M30"
			local sig = crypto.hmac.sha256("k", forged)
			local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
			local raw, text, bits, n = bytes(sig), "", 0, 0
			for i = 1, #raw do
				bits, n = bits * 256 + raw:byte(i), n + 8
				while n >= 6 do
					n = n - 6
					local d = math.floor(bits / 2 ^ n)
					text, bits = text .. alphabet:sub(d + 1, d + 1), bits - d * 2 ^ n
				end
			end
			local d = bits * 2 ^ (6 - n)
			text = text .. alphabet:sub(d + 1, d + 1)
			assert(crypto.jwt.verify(forged .. "." .. text, "k", "HS256", false).id == "9007199254740993")`,
		"unknown algorithm signs HS256": `
			local token = crypto.jwt.encode({a = 1}, "k", "ES256")
			assert(crypto.jwt.verify(token, "k", "HS256", false).a == 1)
			fails("Internal", "unsupported algorithm: ES256", crypto.jwt.verify(token, "k", "ES256", false))`,
		"no algorithm is no way in": `
			-- {"alg":"none","typ":"JWT"} . {"a":1}
			local token = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJhIjoxfQ."
			fails("Internal", "signing method none is invalid", crypto.jwt.verify(token, "k", "HS256", false))
			fails("Internal", "unsupported algorithm: none", crypto.jwt.verify(token, "k", "none", false))`,
		"not yet valid": `
			local token = crypto.jwt.encode({nbf = os.time() + 1000}, "k")
			fails("Internal", "token has invalid claims: token is not valid yet", crypto.jwt.verify(token, "k", "HS256", false))`,
		"another key": `fails("Internal", "token signature is invalid: ", crypto.jwt.verify(crypto.jwt.encode({}, "k"), "l", "HS256", false))`,
		"no token":    `fails("Internal", "token is malformed: ", crypto.jwt.verify("x", "k")) fails("Internal", "token is malformed: ", crypto.jwt.verify("a.b.c", "k"))`,
		"header without table is a claim": `
			local claims = crypto.jwt.verify(crypto.jwt.encode({_header = "x"}, "k"), "k", "HS256", false)
			assert(claims._header == "x")`,
		"header may replace typ": `
			local token = crypto.jwt.encode({_header = {typ = "at+jwt"}}, "k")
			assert(crypto.jwt.verify(token, "k", "HS256", false))
			-- {"alg":"HS256","typ":"at+jwt"}
			assert(token:match("^[^.]+") == "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9")`,
		"a list is no payload":      `fails("Invalid", "failed to convert payload to map", crypto.jwt.encode({1, 2}, "k"))`,
		"a cycle is an error":       `local t = {} t.t = t fails("Internal", "table contains itself", crypto.jwt.encode(t, "k"))`,
		"what JSON has no form for": `fails("Internal", "", crypto.jwt.encode({n = 0/0}, "k"))`,
		"no table raises":           `assert(not pcall(crypto.jwt.encode, "x", "k") and not pcall(crypto.jwt.encode, {}, nil))`,
	})
}

// TestTokensAreSignedWithRSA has the private key in both forms and the public one in both.
func TestTokensAreSignedWithRSA(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	private8 := block("PRIVATE KEY", pkcs8, err)
	private1 := block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key), nil)
	pkix, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	public := block("PUBLIC KEY", pkix, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	certificate := block("CERTIFICATE", der, err)

	b := moduletest.New(t, crypto.Module(nil))
	for name, private := range map[string]string{"PKCS#8": private8, "PKCS#1": private1} {
		t.Run(name, func(t *testing.T) {
			b.Check(t, tools+`
				local private, public, certificate = ...
				local token = assert(crypto.jwt.encode({sub = "me"}, private, "RS256"))
				assert(crypto.jwt.verify(token, public, "RS256", false).sub == "me")
				assert(crypto.jwt.verify(token, certificate, "RS256", false).sub == "me")
				-- the public key is no secret: it must not verify what it has signed itself
				local forged = crypto.jwt.encode({sub = "me"}, public, "HS256")
				fails("Internal", "signing method HS256 is invalid", crypto.jwt.verify(forged, public, "RS256", false))
				fails("Internal", "token is unverifiable", crypto.jwt.verify(token, "no key", "RS256", false))
				fails("Invalid", "invalid RSA private key: ", crypto.jwt.encode({}, public, "RS256"))
				fails("Invalid", "invalid RSA private key: ", crypto.jwt.encode({}, "no key", "RS256"))`, private, public, certificate)
		})
	}
}

// FuzzVerify checks that no text is taken for a token that is signed.
func FuzzVerify(f *testing.F) {
	part := base64.RawURLEncoding.EncodeToString
	for _, header := range []string{`{"alg":"HS256"}`, `{"alg":"none"}`, `{"alg":1}`, `{}`, `[`} {
		for _, claims := range []string{`{"exp":99999999999}`, `{"exp":"x"}`, `null`, `{`} {
			f.Add(part([]byte(header)) + "." + part([]byte(claims)) + "." + part([]byte("signature")))
		}
	}
	f.Add("..")
	secret := rand.Text()
	f.Fuzz(func(t *testing.T, token string) {
		for _, algorithm := range []string{"HS256", "HS384", "HS512", "RS256", "none"} {
			if claims, err := crypto.Verified(token, secret, algorithm, false); err == nil {
				t.Errorf("%q is signed with %s: %v", token, algorithm, claims)
			}
		}
	})
}
