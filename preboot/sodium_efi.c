#include "sodium_efi.h"

#include "vector.h"

/* libsodium keeps these to itself; its own sodium_init calls them in this order. */
int _sodium_runtime_get_cpu_features(void);
int _crypto_generichash_blake2b_pick_best_implementation(void);
int _crypto_onetimeauth_poly1305_pick_best_implementation(void);
int _crypto_pwhash_argon2_pick_best_implementation(void);
int _crypto_scalarmult_curve25519_pick_best_implementation(void);
int _crypto_stream_chacha20_pick_best_implementation(void);
int _crypto_stream_salsa20_pick_best_implementation(void);

void sodium_efi_start(void)
{
	_sodium_runtime_get_cpu_features();
	_crypto_generichash_blake2b_pick_best_implementation();
	_crypto_onetimeauth_poly1305_pick_best_implementation();
	_crypto_pwhash_argon2_pick_best_implementation();
	_crypto_scalarmult_curve25519_pick_best_implementation();
	_crypto_stream_chacha20_pick_best_implementation();
	_crypto_stream_salsa20_pick_best_implementation();
}

static void argon2_choose(void)
{
	_sodium_runtime_get_cpu_features();
	_crypto_pwhash_argon2_pick_best_implementation();
}

void sodium_efi_widen(void)
{
	vector_start();
	argon2_choose();
}

void sodium_efi_narrow(void)
{
	vector_stop();
	argon2_choose();
}
