/* The table behind purser/core/operation.h, in the order in which paths are tried. */
#ifndef PURSER_CORE_OPERATION_TABLE_H
#define PURSER_CORE_OPERATION_TABLE_H

#include "purser/core/operation.h"

extern const struct operation operation_table[];
extern const size_t operation_table_count;

#endif
