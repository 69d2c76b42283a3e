/* The rows that `purser results` writes: those of the source, with more behind them. */
#ifndef PURSER_IO_RESULT_ROW_H
#define PURSER_IO_RESULT_ROW_H

#include "purser/base/buf.h"
#include "purser/base/text.h"

/* A column or member that purser adds: its name begins with purser_. */
bool result_row_is_added(struct slice name);

/* Takes the members that purser has added from the JSON object that stands in `row` from `start`
 * on, wherever they are. What is no JSON object stays as it is. */
void result_row_drop_added(struct buf *row, size_t start);

#endif
