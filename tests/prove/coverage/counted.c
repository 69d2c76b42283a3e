/* Around all objects of core, whether a test needs them or not: what is to be counted. */
int main(void)
{
    return 0;
}
