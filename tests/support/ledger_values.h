/* Values put into the databases of a ledger past the ledger; for tests that know src/io. */
#ifndef PURSER_TESTS_LEDGER_VALUES_H
#define PURSER_TESTS_LEDGER_VALUES_H

#include <lmdb.h>

#include "ledger_fixture.h"
#include "ledger_keys.h"

static const char *const database_names[] = {
#define X(identifier, name) [identifier] = name,
    LEDGER_DATABASE_LIST(X)
#undef X
};

/* Into the closed ledger; `bytes` NULL takes the value away. */
static inline void put_value(enum ledger_database database, struct slice key, const char *bytes,
                             size_t length)
{
    MDB_val key_val = {key.length, (void *)(uintptr_t)key.bytes};
    MDB_val value = {length, (void *)(uintptr_t)bytes};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, LEDGER_DATABASE_COUNT), 0);
    assert_int_equal(mdb_env_open(env, below("catalog"), 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, database_names[database], 0, &dbi), 0);
    assert_int_equal(bytes != NULL ? mdb_put(txn, dbi, &key_val, &value, 0)
                                   : mdb_del(txn, dbi, &key_val, NULL),
                     0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static inline void put_sealed(enum ledger_database database, struct slice key, struct slice value)
{
    struct buf sealed;

    buf_init(&sealed, 4096);
    ledger_seal(&sealed, key, value);
    put_value(database, key, sealed.bytes, sealed.length);
    buf_deinit(&sealed);
}

#endif
