/* Preset msan: MemorySanitizer does not see OpenSSL write a digest, and is told. */
#include <sanitizer/msan_interface.h>

#include "purser/base/digest.h"

void __real_digest_bytes(const void *bytes, size_t length, uint8_t digest_out[DIGEST_BYTES]);
void __wrap_digest_bytes(const void *bytes, size_t length, uint8_t digest_out[DIGEST_BYTES]);

void __wrap_digest_bytes(const void *bytes, size_t length, uint8_t digest_out[DIGEST_BYTES])
{
    __msan_check_mem_is_initialized(bytes, length);
    __real_digest_bytes(bytes, length, digest_out);
    __msan_unpoison(digest_out, DIGEST_BYTES);
}
