#include "sodium_efi.h"

/* libsodium keeps these to itself; its own sodium_init calls them in this order. */
int _sodium_runtime_get_cpu_features(void);
int _crypto_generichash_blake2b_pick_best_implementation(void);
int _crypto_onetimeauth_poly1305_pick_best_implementation(void);
int _crypto_scalarmult_curve25519_pick_best_implementation(void);
int _crypto_stream_chacha20_pick_best_implementation(void);
int _crypto_stream_salsa20_pick_best_implementation(void);

void sodium_efi_start(void)
{
	_sodium_runtime_get_cpu_features();
	_crypto_generichash_blake2b_pick_best_implementation();
	_crypto_onetimeauth_poly1305_pick_best_implementation();
	_crypto_scalarmult_curve25519_pick_best_implementation();
	_crypto_stream_chacha20_pick_best_implementation();
	_crypto_stream_salsa20_pick_best_implementation();
}
