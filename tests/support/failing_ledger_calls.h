/* Calls of LMDB that fail when a test says so: failing_calls.h. */
#ifndef PURSER_TESTS_FAILING_LEDGER_CALLS_H
#define PURSER_TESTS_FAILING_LEDGER_CALLS_H

#include "failing_calls.h"
#include "ledger_calls.h"

static int ledger_call_error(const char *name)
{
    return call_fails(name) ? failing_calls.error : 0;
}

#endif
