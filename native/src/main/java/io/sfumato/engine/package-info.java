/**
 * The denoising engine as Java sees it: steps of ragged work items in, candidates out. The only
 * package that knows JavaCPP.
 */
package io.sfumato.engine;
