/* All calls of LMDB that can fail, in its place; included once in a program. ledger_call_error() of
 * the program says what a call gives instead, or 0. */
#ifndef PURSER_TESTS_LEDGER_CALLS_H
#define PURSER_TESTS_LEDGER_CALLS_H

#include <lmdb.h>

#include "real_call.h"

static int ledger_call_error(const char *name);

#define LEDGER_CALL(name, parameters, arguments)                                    \
    int name parameters                                                             \
    {                                                                               \
        int error = ledger_call_error(#name);                                       \
                                                                                    \
        return error != 0 ? error : ((int(*) parameters)real_call(#name))arguments; \
    }

LEDGER_CALL(mdb_env_create, (MDB_env * *env), (env))
LEDGER_CALL(mdb_env_open, (MDB_env * env, const char *path, unsigned flags, mdb_mode_t mode),
            (env, path, flags, mode))
LEDGER_CALL(mdb_env_set_mapsize, (MDB_env * env, size_t bytes), (env, bytes))
LEDGER_CALL(mdb_env_sync, (MDB_env * env, int force), (env, force))
LEDGER_CALL(mdb_reader_check, (MDB_env * env, int *dead), (env, dead))
LEDGER_CALL(mdb_txn_begin, (MDB_env * env, MDB_txn *parent, unsigned flags, MDB_txn **txn),
            (env, parent, flags, txn))
LEDGER_CALL(mdb_txn_renew, (MDB_txn * txn), (txn))
LEDGER_CALL(mdb_dbi_open, (MDB_txn * txn, const char *name, unsigned flags, MDB_dbi *dbi),
            (txn, name, flags, dbi))
LEDGER_CALL(mdb_get, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data),
            (txn, dbi, key, data))
LEDGER_CALL(mdb_put, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned flags),
            (txn, dbi, key, data, flags))
LEDGER_CALL(mdb_del, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data),
            (txn, dbi, key, data))
LEDGER_CALL(mdb_cursor_open, (MDB_txn * txn, MDB_dbi dbi, MDB_cursor **cursor), (txn, dbi, cursor))
LEDGER_CALL(mdb_cursor_renew, (MDB_txn * txn, MDB_cursor *cursor), (txn, cursor))
LEDGER_CALL(mdb_cursor_get, (MDB_cursor * cursor, MDB_val *key, MDB_val *data, MDB_cursor_op op),
            (cursor, key, data, op))
LEDGER_CALL(mdb_cursor_del, (MDB_cursor * cursor, unsigned flags), (cursor, flags))

/* A transaction is gone after its commit, whatever became of it. */
int mdb_txn_commit(MDB_txn *txn)
{
    int error = ledger_call_error("mdb_txn_commit");

    if (error == 0)
        return ((int (*)(MDB_txn *))real_call("mdb_txn_commit"))(txn);
    mdb_txn_abort(txn);
    return error;
}

#endif
