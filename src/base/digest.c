/* OpenSSL's newer interface (EVP) allocates and loads its providers at the first call, thousands of
 * allocations, any of which may fail. These functions need no memory but their context and cannot
 * fail, and a wrong key would be worse than no program. They are deprecated, not going away: the
 * libraries with the same soname keep them. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "purser/base/digest.h"

#include <openssl/sha.h>

static void put_length(SHA256_CTX *context, uint64_t length)
{
    uint8_t bytes[8];

    for (int i = 7; i >= 0; i--, length >>= 8)
        bytes[i] = (uint8_t)(length & 0xff);
    SHA256_Update(context, bytes, sizeof bytes);
}

void digest_parts(const struct digest_part *parts, size_t count, uint8_t digest_out[DIGEST_BYTES])
{
    SHA256_CTX context;

    SHA256_Init(&context);
    for (size_t i = 0; i < count; i++) {
        put_length(&context, parts[i].length);
        SHA256_Update(&context, parts[i].bytes, parts[i].length);
    }
    SHA256_Final(digest_out, &context);
}

void digest_bytes(const void *bytes, size_t length, uint8_t digest_out[DIGEST_BYTES])
{
    SHA256_CTX context;

    SHA256_Init(&context);
    SHA256_Update(&context, bytes, length);
    SHA256_Final(digest_out, &context);
}
