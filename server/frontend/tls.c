/* TLS key and certificate with mbedTLS. */
#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json_host.h"
#include "common/secret.h"

#define PEM_MAX 16384

/* Complete or not at all: a torn certificate would stop the next start. */
static enum err file_write(const char *dir, const char *name, const char *text, mode_t mode)
{
	char path[PATH_MAX], part[PATH_MAX];
	int fd, bad;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path) ||
	    snprintf(part, sizeof(part), "%s/%s.part", dir, name) >= (int)sizeof(part))
		return ERR_RANGE;
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return ERR_IO;
	bad = write(fd, text, strlen(text)) != (ssize_t)strlen(text) || fsync(fd);
	bad |= close(fd);
	return bad || rename(part, path) ? ERR_IO : OK;
}

static enum err file_read(char **ret, const char *dir, const char *name)
{
	char path[PATH_MAX];
	char *text;
	ssize_t n;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return ERR_RANGE;
	/* Main reads it as root, in a folder that is the frontend's: no link, and no pipe to wait at. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	text = calloc(1, PEM_MAX);
	n = text ? read(fd, text, PEM_MAX - 1) : -1;
	close(fd);
	if (n <= 0 || n == PEM_MAX - 1) {
		free(text);
		return ERR_IO;
	}
	*ret = text;
	return OK;
}

/* subjectAltName with one name: SEQUENCE { [2] dNSName or [7] iPAddress }. */
static int set_host(mbedtls_x509write_cert *w, const char *host)
{
	unsigned char der[4 + 255] = { 0x30, 0, 0, 0 };
	size_t len = strlen(host);

	if (len > 120)
		return -1;
	der[2] = 0x82;
	memcpy(der + 4, host, len);
	if (inet_pton(AF_INET, host, der + 4) == 1) {
		der[2] = 0x87;
		len = 4;
	} else if (inet_pton(AF_INET6, host, der + 4) == 1) {
		der[2] = 0x87;
		len = 16;
	}
	der[1] = (unsigned char)(len + 2);
	der[3] = (unsigned char)len;
	return mbedtls_x509write_crt_set_extension(w, MBEDTLS_OID_SUBJECT_ALT_NAME,
						   MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME),
						   0, der, len + 4);
}

static int write_cert(char *pem, mbedtls_pk_context *key, mbedtls_ctr_drbg_context *random,
		      const char *host)
{
	mbedtls_x509write_cert w;
	mbedtls_mpi serial;
	int rc;

	mbedtls_x509write_crt_init(&w);
	mbedtls_mpi_init(&serial);
	mbedtls_x509write_crt_set_subject_key(&w, key);
	mbedtls_x509write_crt_set_issuer_key(&w, key);
	mbedtls_x509write_crt_set_md_alg(&w, MBEDTLS_MD_SHA256);
	rc = mbedtls_mpi_fill_random(&serial, 15, mbedtls_ctr_drbg_random, random);
	if (!rc)
		rc = mbedtls_x509write_crt_set_serial(&w, &serial);
	if (!rc)
		rc = mbedtls_x509write_crt_set_subject_name(&w, "CN=holdfast-server");
	if (!rc)
		rc = mbedtls_x509write_crt_set_issuer_name(&w, "CN=holdfast-server");
	/* Pinned by its key, so the dates say nothing: as wide as clocks may be wrong. */
	if (!rc)
		rc = mbedtls_x509write_crt_set_validity(&w, "20200101000000", "20491231235959");
	if (!rc)
		rc = mbedtls_x509write_crt_set_basic_constraints(&w, 0, -1);
	if (!rc)
		rc = set_host(&w, host);
	if (!rc)
		rc = mbedtls_x509write_crt_pem(&w, (unsigned char *)pem, PEM_MAX,
					       mbedtls_ctr_drbg_random, random);
	mbedtls_mpi_free(&serial);
	mbedtls_x509write_crt_free(&w);
	return rc;
}

static enum err make(const char *dir, const char *host, mbedtls_pk_context *key,
		     mbedtls_ctr_drbg_context *random)
{
	char pem[PEM_MAX] = "";
	enum err e;

	if (mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) ||
	    mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key),
				mbedtls_ctr_drbg_random, random) ||
	    write_cert(pem, key, random, host))
		return ERR_INTERNAL;
	e = file_write(dir, "tls.crt", pem, 0644);
	if (!e && mbedtls_pk_write_key_pem(key, (unsigned char *)pem, sizeof(pem)))
		e = ERR_INTERNAL;
	/* Last: a start that was interrupted makes both anew. */
	if (!e)
		e = file_write(dir, "tls.key", pem, 0600);
	secret_wipe(pem, sizeof(pem));
	return e;
}

enum err tls_make(const char *dir, const char *host)
{
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context random;
	mbedtls_pk_context key;
	TEXT_SECRET *present = NULL;
	enum err e = file_read(&present, dir, "tls.key");

	if (e != ERR_NOT_FOUND)
		return e;
	mbedtls_entropy_init(&entropy);
	mbedtls_ctr_drbg_init(&random);
	mbedtls_pk_init(&key);
	e = mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, NULL, 0)
		    ? ERR_INTERNAL
		    : make(dir, host, &key, &random);
	mbedtls_pk_free(&key);
	mbedtls_ctr_drbg_free(&random);
	mbedtls_entropy_free(&entropy);
	return e;
}

enum err tls_load(char **ret_key, char **ret_cert, const char *dir)
{
	char *key = NULL;
	enum err e = file_read(&key, dir, "tls.key");

	if (!e)
		e = file_read(ret_cert, dir, "tls.crt");
	if (e) {
		text_wipe(&key);
		return e == ERR_NOT_FOUND ? ERR_IO : e;
	}
	*ret_key = key;
	return OK;
}

enum err tls_pin(char ret[TLS_PIN_BYTES], const char *dir)
{
	TEXT *pem = NULL;
	unsigned char der[1024], hash[crypto_hash_sha256_BYTES];
	mbedtls_x509_crt cert;
	int len = -1;
	enum err e = file_read(&pem, dir, "tls.crt");

	if (e)
		return e == ERR_NOT_FOUND ? ERR_IO : e;
	mbedtls_x509_crt_init(&cert);
	if (!mbedtls_x509_crt_parse(&cert, (const unsigned char *)pem, strlen(pem) + 1))
		len = mbedtls_pk_write_pubkey_der(&cert.pk, der, sizeof(der));
	mbedtls_x509_crt_free(&cert);
	if (len <= 0)
		return ERR_FORMAT;
	crypto_hash_sha256(hash, der + sizeof(der) - len, (unsigned long long)len);
	strcpy(ret, "sha256//");
	sodium_bin2base64(ret + 8, TLS_PIN_BYTES - 8, hash, sizeof(hash),
			  sodium_base64_VARIANT_ORIGINAL);
	return OK;
}
